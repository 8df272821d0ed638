"""Speech to text on this machine by faster-whisper, in a process of its own."""
