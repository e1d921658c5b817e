/* What a cron expression says: see cron.h. */
#include "base/cron.h"

/* One field; words stand for numbers from `low` on. */
struct cron_field {
	int64_t low, high;
	const char *words; /* three letters each; NULL: none */
};

static bool read_number(const struct cron_field *f, struct str s, int64_t *ret)
{
	struct str words = str_of(f->words);

	for (size_t i = 0; s.len == 3 && i < words.len; i += 3) {
		if (str_is_nocase(
			    s, ((char[]){ words.ptr[i], words.ptr[i + 1], words.ptr[i + 2], 0 }))) {
			*ret = f->low + (int64_t)(i / 3);
			return true;
		}
	}

	return str_to_i64(s, f->low, f->high, ret);
}

/* "*", "5", "1-5", each with "/2" behind it; "5/2" is "5-high/2". */
static bool read_part(const struct cron_field *f, struct str s, uint64_t *bits)
{
	struct str range = str_cut(&s, '/');
	struct str first = str_cut(&range, '-');
	int64_t from = f->low, to = f->high, step = 1;

	if (s.ptr && !str_to_i64(s, 1, f->high, &step))
		return false;
	if (str_is(first, "*")) {
		if (range.ptr)
			return false;
	} else {
		if (!read_number(f, first, &from))
			return false;
		if (range.ptr ? !read_number(f, range, &to) || from > to : false)
			return false;
		if (!range.ptr && !s.ptr)
			to = from;
	}
	for (int64_t i = from; i <= to; i += step)
		*bits |= UINT64_C(1) << i;

	return true;
}

static bool read_field(const struct cron_field *f, struct str s, uint64_t *ret)
{
	*ret = 0;
	for (struct str part = str_cut(&s, ','); part.ptr; part = str_cut(&s, ','))
		if (!read_part(f, part, ret))
			return false;

	return true;
}

bool cron_read(struct str text, struct cron *ret)
{
	static const struct cron_field fields[] = {
		{ 0, 59, NULL },
		{ 0, 23, NULL },
		{ 1, 31, NULL },
		{ 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
		{ 0, 7, "sunmontuewedthufrisat" },
	};
	uint64_t bits[ARRAY_LEN(fields)];
	bool any[ARRAY_LEN(fields)];
	size_t n = 0;

	for (struct str f = str_cut(&text, ' '); f.ptr; f = str_cut(&text, ' '), n++) {
		if (n == ARRAY_LEN(fields) || !read_field(&fields[n], f, &bits[n]))
			return false;
		any[n] = f.ptr[0] == '*';
	}
	if (n != ARRAY_LEN(fields))
		return false;

	*ret = (struct cron){ .minutes = bits[0],
			      .hours = (uint32_t)bits[1],
			      .days = (uint32_t)bits[2],
			      .months = (uint32_t)bits[3],
			      .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
			      .any_hour = any[1],
			      .any_day = any[2],
			      .any_weekday = any[4] };

	return true;
}
