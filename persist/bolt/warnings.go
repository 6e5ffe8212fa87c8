package bolt

func fileSystemWarnings(dir string) []string { return nil }
