import "htmx.org";
import { startTheme } from "./js/theme.js";
import { startForms } from "./js/forms.js";
import { startKeys } from "./js/keys.js";
import { startCountdowns } from "./js/countdown.js";
import { startButtons } from "./js/buttons.js";
import { startDrafts } from "./js/drafts.js";
import { startBoard } from "./js/board.js";
import { startTyping } from "./js/typing.js";

startTheme();
startForms();
startKeys();
startCountdowns();
startButtons();
startDrafts();
startBoard();
startTyping();
