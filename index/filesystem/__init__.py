"""What the operating system says of files: stamps, checksums, locks, portable paths, full disks."""
