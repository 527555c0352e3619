"""What a process is and has: command line, device, memory, progress, cost, provenance."""
