// Loaded into a program in front of the C library: while the file named by VIGIL_BROKEN_DISK exists, the database and
// its log cannot be read. Writes go on.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_of_the_database(int fd) {
  char link[32], name[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, name, sizeof name - 1);
  if (length < 0) return 0;
  name[length] = 0;
  return strstr(name, "/vigil.db") != NULL;
}

ssize_t pread64(int fd, void* to, size_t size, off64_t at) {
  const char* broken = getenv("VIGIL_BROKEN_DISK");
  if (broken && access(broken, F_OK) == 0 && is_of_the_database(fd)) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_pread64, fd, to, size, at);
}
