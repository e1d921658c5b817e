/* Metrics of realtime: see tally.h. */
#include "realtime/tally.h"

#include "base/buf.h"
#include "prefork/scoreboard.h"

#include <sys/mman.h>

struct tally *tally;

void tally_init(void)
{
	void *p = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);

	BUG_IF(p == MAP_FAILED);
	tally = p;
}

void tally_write(const struct scoreboard *board, struct buf *out)
{
	struct slot sum;

	scoreboard_sum(board, &sum);
	/* clang-format off */
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} rows[] = {
		{ "connections", "gauge", "WebSockets that are open.", sum.connections },
		{ "rooms", "gauge", "Rooms that somebody is in, counted in each process.", sum.rooms },
		{ "connected_total", "counter", "WebSockets that were let in.", tally->connected },
		{ "refused_total", "counter", "WebSockets that were not let in.", tally->refused },
		{ "messages_in_total", "counter", "Messages from clients.", tally->messages_in },
		{ "messages_out_total", "counter", "Messages to clients.", tally->messages_out },
		{ "events_total", "counter", "Events heard, counted in each process.", tally->events },
		{ "events_late_total", "counter", "Events read from PostgreSQL because Redis did not bring them.", tally->events_late },
		{ "slow_total", "counter", "Clients dropped because they did not read.", tally->slow },
		{ "floods_total", "counter", "Clients closed because they said too much.", tally->floods },
		{ "revoked_total", "counter", "Clients closed because session, seat or tenant was over.", tally->revoked },
		{ "redis_failures_total", "counter", "Times that Redis went away.", tally->redis_failures },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		buf_printf(out,
			   "# HELP zygo_realtime_%s %s\n# TYPE zygo_realtime_%s %s\n"
			   "zygo_realtime_%s %llu\n",
			   rows[i].name, rows[i].help, rows[i].name, rows[i].type, rows[i].name,
			   (unsigned long long)rows[i].value);
}
