/* A client on libgearman's tasks: client HOST PORT [exceptions]
   What it reads and prints: ../doc.go. */
#include "line.h"

#include <libgearman/gearman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef gearman_task_st *(*add_fn)(gearman_client_st *, gearman_task_st *, void *, const char *, const char *,
                                   const void *, size_t, gearman_return_t *);

static gearman_return_t created(gearman_task_st *task)
{
  printf("created %s\n", gearman_task_job_handle(task));
  fflush(stdout);
  return GEARMAN_SUCCESS;
}

static gearman_return_t report(gearman_task_st *task, const char *event)
{
  line_hex(event, gearman_task_data(task), gearman_task_data_size(task));
  return GEARMAN_SUCCESS;
}

static gearman_return_t data(gearman_task_st *task) { return report(task, "data"); }
static gearman_return_t warning(gearman_task_st *task) { return report(task, "warning"); }
static gearman_return_t exception(gearman_task_st *task) { return report(task, "exception"); }
static gearman_return_t complete(gearman_task_st *task) { return report(task, "complete"); }

static gearman_return_t status(gearman_task_st *task)
{
  printf("status %u %u\n", gearman_task_numerator(task), gearman_task_denominator(task));
  fflush(stdout);
  return GEARMAN_SUCCESS;
}

static gearman_return_t failed(gearman_task_st *task)
{
  (void)task;
  puts("fail");
  fflush(stdout);
  return GEARMAN_SUCCESS;
}

static void listen_to_all(gearman_client_st *client)
{
  gearman_client_set_created_fn(client, created);
  gearman_client_set_data_fn(client, data);
  gearman_client_set_warning_fn(client, warning);
  gearman_client_set_status_fn(client, status);
  gearman_client_set_complete_fn(client, complete);
  gearman_client_set_exception_fn(client, exception);
  gearman_client_set_fail_fn(client, failed);
}

/* Set after an error. The library goes on counting a task that a lost
   connection has ended, and would wait for it in every later call. */
static int spoilt;

static void finish(gearman_client_st *client, gearman_return_t ret)
{
  if (ret != GEARMAN_SUCCESS && ret != GEARMAN_WORK_FAIL && ret != GEARMAN_WORK_EXCEPTION) {
    printf("error %s\n", gearman_client_error(client));
    spoilt = 1;
  }
  gearman_client_task_free_all(client);
}

static add_fn choose(int background, const char *priority)
{
  switch (priority[0]) {
  case 'h':
    return background ? gearman_client_add_task_high_background : gearman_client_add_task_high;
  case 'l':
    return background ? gearman_client_add_task_low_background : gearman_client_add_task_low;
  default:
    return background ? gearman_client_add_task_background : gearman_client_add_task;
  }
}

static void submit(gearman_client_st *client, int background)
{
  const char *function = strtok(NULL, " "), *priority = strtok(NULL, " "), *unique = strtok(NULL, " ");
  const char *hex = strtok(NULL, " ");
  size_t size = 0;
  unsigned char *payload = hex ? line_unhex(hex, &size) : NULL;
  gearman_return_t ret;
  if (!strcmp(unique, "none"))
    unique = NULL;
  listen_to_all(client);
  choose(background, priority)(client, NULL, NULL, function, unique, payload, size, &ret);
  if (ret == GEARMAN_SUCCESS)
    ret = gearman_client_run_tasks(client);
  finish(client, ret);
  free(payload);
}

static int right;

static gearman_return_t count(gearman_task_st *task)
{
  const char *sent = gearman_task_context(task);
  unsigned char *want = line_reverse(sent, strlen(sent));
  if (gearman_task_data_size(task) == strlen(sent) && !memcmp(want, gearman_task_data(task), strlen(sent)))
    right++;
  free(want);
  return GEARMAN_SUCCESS;
}

static void many(gearman_client_st *client)
{
  const char *function = strtok(NULL, " ");
  int n = atoi(strtok(NULL, " "));
  char (*payloads)[32] = calloc((size_t)n, sizeof *payloads);
  gearman_return_t ret = GEARMAN_SUCCESS;
  gearman_client_clear_fn(client);
  gearman_client_set_complete_fn(client, count);
  right = 0;
  for (int i = 0; i < n && ret == GEARMAN_SUCCESS; i++) {
    snprintf(payloads[i], sizeof payloads[i], "payload %d", i);
    gearman_client_add_task(client, NULL, payloads[i], function, NULL, payloads[i], strlen(payloads[i]), &ret);
  }
  if (ret == GEARMAN_SUCCESS)
    ret = gearman_client_run_tasks(client);
  finish(client, ret);
  printf("right %d\n", right);
  free(payloads);
}

static void state(gearman_client_st *client)
{
  bool known = false, running = false;
  uint32_t numerator = 0, denominator = 0;
  gearman_return_t ret = gearman_client_job_status(client, strtok(NULL, " "), &known, &running, &numerator, &denominator);
  if (ret == GEARMAN_SUCCESS)
    printf("state %d %d %u %u\n", known, running, numerator, denominator);
  else
    finish(client, ret);
}

static void ping(gearman_client_st *client)
{
  size_t size = 0;
  unsigned char *payload = line_unhex(strtok(NULL, " "), &size);
  gearman_return_t ret = gearman_client_echo(client, payload, size);
  if (ret == GEARMAN_SUCCESS)
    puts("pong");
  else
    finish(client, ret);
  free(payload);
}

static void answer(gearman_client_st *client, char *line)
{
  const char *verb = strtok(line, " \n");
  if (!strcmp(verb, "run"))
    submit(client, 0);
  else if (!strcmp(verb, "bg"))
    submit(client, 1);
  else if (!strcmp(verb, "many"))
    many(client);
  else if (!strcmp(verb, "state"))
    state(client);
  else if (!strcmp(verb, "ping"))
    ping(client);
  puts("end");
  fflush(stdout);
}

static gearman_client_st *connected(int argc, char **argv)
{
  gearman_client_st *client = gearman_client_create(NULL);
  gearman_client_add_server(client, argv[1], (in_port_t)atoi(argv[2]));
  if (argc > 3 && !gearman_client_set_server_option(client, "exceptions", 10))
    printf("error %s\n", gearman_client_error(client));
  spoilt = 0;
  return client;
}

int main(int argc, char **argv)
{
  gearman_client_st *client = connected(argc, argv);
  char *line = NULL;
  size_t room = 0;
  for (ssize_t n; (n = getline(&line, &room, stdin)) > 0;) {
    line[n - 1] = 0;
    answer(client, line);
    if (spoilt) {
      gearman_client_free(client);
      client = connected(argc, argv);
    }
  }
  return 0;
}
