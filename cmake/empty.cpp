// An empty folder is still a library.
