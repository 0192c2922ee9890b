"""File system support: stamps, checksums, locks, portable paths and disk errors."""
