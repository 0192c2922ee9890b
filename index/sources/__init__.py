"""Where documents come from: files below paths, ignore rules, web pages."""
