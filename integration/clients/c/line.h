/* The line protocol of the client tests (see ../doc.go), as far as both C
   programs need it. */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>

/* Prints "event HEX\n" and flushes it. */
void line_hex(const char *event, const void *data, size_t size);

/* Decodes hex digits in place of a fresh buffer; *size receives its length.
   The caller frees the result. */
unsigned char *line_unhex(const char *hex, size_t *size);

/* Returns a fresh buffer with the bytes in reverse order. */
unsigned char *line_reverse(const void *data, size_t size);

#endif
