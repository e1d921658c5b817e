/*
 * Whatever a peer sends: the look at it stays inside, and what it calls whole is what it says: its
 * parameters are there, and with one byte less it is not whole (unless it is longer than is looked
 * at).
 */
#include "http/fcgihead.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[FCGI_HEAD_MAX];
	struct fcgi_head head;

	if (size > sizeof(bytes))
		size = sizeof(bytes);
	memcpy(bytes, data, size);
	if (fcgi_head_look(bytes, size, &head) != HEAD_WHOLE)
		return 0;

	BUG_IF(head.params_bytes + 2 * head.params > size);

	return 0;
}
