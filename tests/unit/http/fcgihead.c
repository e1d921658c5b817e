/* The look at a request before libfcgi sees it. */
#include "http/fcgihead.h"

#include <criterion/criterion.h>

#define BEGIN       "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"
#define PARAMS(len) "\1\4\0\1\0" len "\0\0"
#define END_PARAMS  "\1\4\0\1\0\0\0\0"
#define END_BODY    "\1\5\0\1\0\0\0\0"

static uint8_t bytes[FCGI_HEAD_MAX];
static struct fcgi_head head;

static enum head_state look(const char *text, size_t len)
{
	memcpy(bytes, text, len);

	return fcgi_head_look(bytes, len, &head);
}

#define LOOK(text) look((text), sizeof(text) - 1)

Test(fcgihead, a_whole_request_is_whole_and_every_part_of_it_a_part)
{
	static const char whole[] = BEGIN PARAMS("\14") "\3\2FOOab\1\2Xcd" END_PARAMS END_BODY;

	for (size_t i = 0; i < sizeof(whole) - 1; i++)
		cr_expect_eq(look(whole, i), HEAD_PART, "%zu bytes", i);
	cr_expect_eq(LOOK(whole), HEAD_WHOLE);
	cr_expect_eq(head.params, 2);
	cr_expect_eq(head.params_bytes, 8);
}

Test(fcgihead, parameters_may_be_cut_anywhere)
{
	cr_expect_eq(LOOK(BEGIN PARAMS("\4") "\3\2FO" PARAMS("\3") "Oab" END_PARAMS END_BODY),
		     HEAD_WHOLE);
	cr_expect_eq(head.params, 1);
	cr_expect_eq(head.params_bytes, 5);
}

Test(fcgihead, padding_is_skipped)
{
	cr_expect_eq(LOOK("\1\1\0\1\0\10\3\0\0\1\1\0\0\0\0\0xxx"
			  "\1\4\0\1\0\4\2\0\1\1AByy" END_PARAMS "\1\5\0\1\0\1\1\0bz" END_BODY),
		     HEAD_WHOLE);
	cr_expect_eq(head.params, 1);
}

Test(fcgihead, what_is_no_request_is_wrong)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
	} cases[] = {
#define CASE(name, text) { name, text, sizeof(text) - 1 }
		CASE("version", "\2"),
		CASE("type", "\1\2\0\1\0\10\0\0"),
		CASE("request id", "\1\1\0\0\0\10\0\0"),
		CASE("length of the begin", "\1\1\0\1\0\7\0\0"),
		CASE("role", "\1\1\0\1\0\10\0\0\0\3\1\0\0\0\0\0"),
		CASE("another request's parameters", BEGIN "\1\4\0\2\0\0\0\0"),
		CASE("a body first", BEGIN END_BODY),
		CASE("a name longer than all", BEGIN PARAMS("\3") "\5\0A" END_PARAMS END_BODY),
		CASE("a value longer than all", BEGIN PARAMS("\3") "\1\5A" END_PARAMS END_BODY),
		CASE("lengths whose sum overflows",
		     BEGIN PARAMS("\10") "\377\377\377\377\377\377\377\377" END_PARAMS END_BODY),
		CASE("half a length", BEGIN PARAMS("\2") "\200\0" END_PARAMS END_BODY),
		CASE("parameters after the parameters", BEGIN END_PARAMS END_PARAMS),
#undef CASE
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(look(cases[i].bytes, cases[i].len), HEAD_WRONG, "%s", cases[i].name);
}

/* A record that claims 65,535 bytes, and that many, again and again. */
static size_t fill(size_t at, uint8_t type)
{
	while (at < sizeof(bytes)) {
		uint8_t record[8] = { 1, type, 0, 1, 0xff, 0xff, 0, 0 };
		size_t n = sizeof(bytes) - at < 8 ? sizeof(bytes) - at : 8;

		memcpy(bytes + at, record, n);
		at += 8 + 0xffff;
	}

	return sizeof(bytes);
}

Test(fcgihead, a_head_that_does_not_end_is_wrong_and_a_body_is_read_on)
{
	static const char begin[] = BEGIN, end_params[] = END_PARAMS;

	memcpy(bytes, begin, 16);
	cr_expect_eq(fcgi_head_look(bytes, fill(16, 4), &head), HEAD_WRONG);

	memcpy(bytes, begin, 16);
	memcpy(bytes + 16, end_params, 8);
	cr_expect_eq(fcgi_head_look(bytes, fill(24, 5), &head), HEAD_WHOLE);
}
