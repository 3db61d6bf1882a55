"""The commands: what they take, what they print, how they exit; each is imported when it is called."""
