"""Arguments of the kernel's command line, from the next boot on."""
