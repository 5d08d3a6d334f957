"""Set-up of a checkout: standard library only, because nothing else is there yet."""
