// The one script of a patient's own pages: a button that copies an address. Without it the address
// is there to be selected.
import { startButtons } from "./js/buttons.js";

startButtons();
