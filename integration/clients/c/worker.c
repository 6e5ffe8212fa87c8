/* A worker on libgearman: worker HOST PORT FUNCTION=BEHAVIOUR[=MILLISECONDS]...
   What it prints and reads: ../doc.go. */
#include "line.h"

#include <libgearman/gearman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void announce(gearman_job_st *job)
{
  size_t size = gearman_job_workload_size(job);
  char event[600];
  snprintf(event, sizeof event, "job %s", gearman_job_function_name(job));
  line_hex(event, gearman_job_workload(job), size < 32 ? size : 32);
}

static void await_go(void)
{
  char line[16];
  if (fgets(line, sizeof line, stdin) == NULL)
    exit(0);
}

static void *complete(const void *data, size_t size, size_t *result_size)
{
  *result_size = size;
  return line_reverse(data, size);
}

static void *reverse(gearman_job_st *job, void *context, size_t *size, gearman_return_t *ret)
{
  (void)context;
  announce(job);
  *ret = GEARMAN_SUCCESS;
  return complete(gearman_job_workload(job), gearman_job_workload_size(job), size);
}

static void *hold(gearman_job_st *job, void *context, size_t *size, gearman_return_t *ret)
{
  (void)context;
  announce(job);
  await_go();
  *ret = GEARMAN_SUCCESS;
  return complete(gearman_job_workload(job), gearman_job_workload_size(job), size);
}

static void *progress(gearman_job_st *job, void *context, size_t *size, gearman_return_t *ret)
{
  *ret = gearman_job_send_status(job, 3, 10);
  if (*ret != GEARMAN_SUCCESS)
    return NULL;
  return hold(job, context, size, ret);
}

static void *data(gearman_job_st *job, void *context, size_t *size, gearman_return_t *ret)
{
  (void)context;
  announce(job);
  gearman_job_send_data(job, "one", 3);
  gearman_job_send_data(job, "two", 3);
  *ret = GEARMAN_SUCCESS;
  return complete("enod", 4, size);
}

static void *warning(gearman_job_st *job, void *context, size_t *size, gearman_return_t *ret)
{
  (void)context;
  announce(job);
  gearman_job_send_warning(job, "careful", 7);
  *ret = GEARMAN_SUCCESS;
  return complete("enod", 4, size);
}

static void *fail(gearman_job_st *job, void *context, size_t *size, gearman_return_t *ret)
{
  (void)context;
  announce(job);
  *size = 0;
  *ret = GEARMAN_WORK_FAIL;
  return NULL;
}

static void *exception(gearman_job_st *job, void *context, size_t *size, gearman_return_t *ret)
{
  (void)context;
  announce(job);
  gearman_job_send_exception(job, "boom", 4);
  *size = 0;
  *ret = GEARMAN_WORK_EXCEPTION;
  return NULL;
}

static const struct {
  const char *name;
  gearman_worker_fn *run;
} behaviours[] = {
  { "reverse", reverse }, { "hold", hold }, { "progress", progress },
  { "data", data },       { "warning", warning }, { "fail", fail }, { "exception", exception },
};

static void add(gearman_worker_st *worker, char *spec)
{
  char *function = strtok(spec, "="), *name = strtok(NULL, "="), *limit = strtok(NULL, "=");
  for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++)
    if (!strcmp(name, behaviours[i].name))
      gearman_worker_add_function(worker, function, limit ? (uint32_t)atoi(limit) : 0, behaviours[i].run, NULL);
}

/* Loss of the server is no error of this program: libgearman connects again
   at the next call. */
static int lost(gearman_return_t ret)
{
  return ret == GEARMAN_LOST_CONNECTION || ret == GEARMAN_COULD_NOT_CONNECT || ret == GEARMAN_NO_SERVERS
         || ret == GEARMAN_NOT_CONNECTED || ret == GEARMAN_ERRNO;
}

int main(int argc, char **argv)
{
  gearman_worker_st *worker = gearman_worker_create(NULL);
  gearman_worker_add_server(worker, argv[1], (in_port_t)atoi(argv[2]));
  gearman_worker_set_identifier(worker, "c", 1);
  for (int i = 3; i < argc; i++)
    add(worker, argv[i]);
  for (;;) {
    gearman_return_t ret = gearman_worker_work(worker);
    if (lost(ret)) {
      usleep(50000);
    } else if (ret != GEARMAN_SUCCESS && ret != GEARMAN_WORK_FAIL && ret != GEARMAN_WORK_EXCEPTION) {
      printf("error %s\n", gearman_worker_error(worker));
      fflush(stdout);
    }
  }
}
