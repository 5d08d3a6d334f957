"""The pure core: values in, values out. Standard library only; no clock, no input or output."""
