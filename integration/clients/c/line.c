#include "line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void line_hex(const char *event, const void *data, size_t size)
{
  static const char digits[] = "0123456789abcdef";
  const unsigned char *bytes = data;
  char *out = malloc(2 * size + 1);
  for (size_t i = 0; i < size; i++) {
    out[2 * i] = digits[bytes[i] >> 4];
    out[2 * i + 1] = digits[bytes[i] & 15];
  }
  out[2 * size] = 0;
  printf("%s %s\n", event, out);
  fflush(stdout);
  free(out);
}

static int digit(char c)
{
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

unsigned char *line_unhex(const char *hex, size_t *size)
{
  *size = strlen(hex) / 2;
  unsigned char *out = malloc(*size + 1);
  for (size_t i = 0; i < *size; i++)
    out[i] = (unsigned char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
  return out;
}

unsigned char *line_reverse(const void *data, size_t size)
{
  const unsigned char *bytes = data;
  unsigned char *out = malloc(size + 1);
  for (size_t i = 0; i < size; i++)
    out[i] = bytes[size - 1 - i];
  return out;
}
