/*
 * A program that goes on using an object after it has freed it: a session is closed, but the table still lists it
 * and its counters are written. An allocator that hands the memory out again lets two owners write into it. With
 * free=quarantine nobody else gets it while the table reaches it: the program runs to its end with every checksum
 * intact, and the report names the object and the place that freed it.
 *
 * Prints the address of that session, so that the runner can find it in the report.
 */
#define DOOR_MALLOC
#include "door.h"

#pragma GCC diagnostic ignored "-Wuse-after-free"

enum { SESSIONS = 1000, CLOSED = 617, ROUNDS = 200, CELLS = 3000, DEADLINE_SECONDS = 60 };

struct session {
    uint64_t number, requests, proof;
    struct cell *history;
};

static struct session *table[SESSIONS];

static struct session *session_new(uint64_t number)
{
    struct session *session = door_new(sizeof *session);
    *session = (struct session){ number, 0, mix(number), chain_new(number, 5) };
    return session;
}

/* The call of free that the report must name. */
NOINLINE static void session_close(struct session *session)
{
    chain_free(session->history);
    free(session);
    __asm__ volatile("" ::: "memory");      /* so that the call above is not the last: its place is in this function */
}

/* What other work allocates meanwhile, of the session's size too: it must never be given the closed session. */
static void work(void)
{
    struct session *others[64];
    for (uint64_t i = 0; i < 64; i++)
        others[i] = session_new(100000 + i);
    chain_check(chain_new(7, CELLS), 7, CELLS, "chain beside the sessions");
    for (uint64_t i = 0; i < 64; i++) {
        if (others[i] == table[CLOSED])
            die("the closed session was handed out again although the table reaches it: %p", (void *)table[CLOSED]);
        if (others[i]->number != 100000 + i || others[i]->proof != mix(100000 + i) || others[i]->requests != 0)
            die("another owner's session has changed: %p", (void *)others[i]);
        chain_check(others[i]->history, 100000 + i, 5, "history of another session");
        chain_free(others[i]->history);
        free(others[i]);
    }
}

int main(void)
{
    struct session **closed = &table[CLOSED];
    deadline(DEADLINE_SECONDS);
    for (uint64_t i = 0; i < SESSIONS; i++)
        table[i] = session_new(i);
    session_close(*closed);
    (*closed)->requests = 0;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        for (uint64_t i = 0; i < SESSIONS; i++)
            table[i]->requests++;           /* of the closed one too: this is the use after free */
        work();
        if (round % 20 == 0)
            door_collect();
    }
    for (uint64_t i = 0; i < SESSIONS; i++) {
        if (table[i]->requests != ROUNDS)
            die("session %llu counts %llu requests, not %d", (unsigned long long)i,
                (unsigned long long)table[i]->requests, ROUNDS);
        if (i == CLOSED)
            continue;
        if (table[i]->number != i || table[i]->proof != mix(i))
            die("session %llu has changed", (unsigned long long)i);
        chain_check(table[i]->history, i, 5, "history of a session");
    }
    door_collect();
    printf("quarantine_uaf: object=%p collections=%lu\n", (void *)*closed, door_collections());
    return 0;
}
