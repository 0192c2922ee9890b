"""What people do with documents: index, upload, replace, tag, delete, follow."""
