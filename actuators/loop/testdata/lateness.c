// A periodic thread as one would write it in C, to hold the loop against: absolute
// deadlines, real-time priority, locked memory, and so much work in every period.
//
//   lateness RATE_HZ SECONDS WORK_NS
//
// prints periods, missed periods, and the lateness of the wake-ups in ns: median, 99 %,
// 99.9 %, largest; then 1 where it had real-time priority.
#include <inttypes.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_until(int64_t ns) {
  struct timespec t = {ns / 1000000000, ns % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
  }
}

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const int64_t period = 1000000000 / atoll(argv[1]), work = atoll(argv[3]);
  const int64_t periods = atoll(argv[2]) * atoll(argv[1]);
  int64_t *late = calloc(periods, sizeof *late);
  if (periods < 1 || late == NULL) return 2;
  struct sched_param p = {.sched_priority = 70};
  const int priority = sched_setscheduler(0, SCHED_FIFO, &p) == 0;
  mlockall(MCL_CURRENT | MCL_FUTURE);
  int64_t missed = 0, n = 0, deadline = now_ns() + period;
  volatile double sink = 1;
  for (int64_t k = 0; k < periods; k++, deadline += period) {
    sleep_until(deadline);
    int64_t woke = now_ns();
    for (; woke >= deadline + period && k < periods; k++, deadline += period) missed++;
    if (k == periods) break;
    late[n++] = woke - deadline;
    while (now_ns() - woke < work)
      for (int i = 0; i < 50; i++) sink = sink * 1.0000001 + 1e-9;
  }
  qsort(late, n, sizeof *late, by_size);
  printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d\n", n, missed, late[n / 2], late[n * 99 / 100],
         late[n * 999 / 1000], late[n - 1], priority);
  return 0;
}
