// Loaded into a program in front of the C library: its wall clock is ahead of the machine's by as many seconds as
// the file named by VIGIL_WALL_CLOCK says, and can be set while it runs. Timers of the kernel on the wall clock see
// it set, as they do when the machine's own is (timerfd_create(2)); steady time goes on as it does.
// (What waits already does not notice a jump of libfaketime 0.9.10.) System calls are made straight: a sanitizer asks
// for the time before functions of other libraries can be looked up.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { descriptors_max = 65536 };

static struct {
  char of_wall;  // it is a timer of the wall clock
  struct itimerspec due;
} timers[descriptors_max];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const volatile int64_t* told;  // the file
static volatile int64_t ahead;        // what holds for the timers that are set

static int arm(int fd, int flags, const struct itimerspec* due, struct itimerspec* was) {
  struct itimerspec moved = *due;
  if (timers[fd].of_wall && (flags & TFD_TIMER_ABSTIME) && due->it_value.tv_sec > ahead) moved.it_value.tv_sec -= ahead;
  return (int)syscall(SYS_timerfd_settime, fd, flags, &moved, was);
}

static void* watch(void* unused) {
  const struct timespec pause = {0, 10 * 1000 * 1000};
  for (;; nanosleep(&pause, NULL)) {
    if (*told == ahead) continue;
    pthread_mutex_lock(&lock);
    ahead = *told;
    for (int fd = 0; fd < descriptors_max; ++fd) {
      if (timers[fd].due.it_value.tv_sec != 0) arm(fd, TFD_TIMER_ABSTIME, &timers[fd].due, NULL);
    }
    pthread_mutex_unlock(&lock);
  }
  return unused;
}

__attribute__((constructor)) static void begin(void) {
  const char* name = getenv("VIGIL_WALL_CLOCK");
  const int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) abort();
  told = mmap(NULL, sizeof *told, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (told == MAP_FAILED) abort();
  ahead = *told;
  pthread_t thread;
  if (pthread_create(&thread, NULL, watch, NULL) != 0) abort();
}

int timerfd_create(clockid_t clock, int flags) {
  const int fd = (int)syscall(SYS_timerfd_create, clock, flags);
  if (fd < 0 || fd >= descriptors_max) return fd;
  pthread_mutex_lock(&lock);
  timers[fd].of_wall = clock == CLOCK_REALTIME;
  timers[fd].due = (struct itimerspec){0};
  pthread_mutex_unlock(&lock);
  return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec* due, struct itimerspec* was) {
  pthread_mutex_lock(&lock);
  if (timers[fd].of_wall && (flags & TFD_TIMER_ABSTIME)) timers[fd].due = *due;
  const int done = arm(fd, flags, due, was);
  pthread_mutex_unlock(&lock);
  return done;
}

int close(int fd) {
  if (fd < 0 || fd >= descriptors_max || !timers[fd].of_wall) return (int)syscall(SYS_close, fd);
  pthread_mutex_lock(&lock);
  timers[fd].of_wall = 0;
  timers[fd].due = (struct itimerspec){0};
  pthread_mutex_unlock(&lock);
  return (int)syscall(SYS_close, fd);
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  const int done = (int)syscall(SYS_clock_gettime, clock, now);
  if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead;
  return done;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  const int done = (int)syscall(SYS_gettimeofday, now, zone);
  if (done == 0) now->tv_sec += ahead;
  return done;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
