/* The books: the open sessions, and the ledger with the latest entry of each card, which every payment replaces.
 *
 * Here is the bug that ends many a server after some hours: look for `payment_release`.
 */
#define _GNU_SOURCE
#include "gateway.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHARDS = 64 };         /* locks of a table */

/* ---- tables: chained hashing, cut into shards with a lock each --------------------------------------------------- */

struct node {
    struct node *next;
    char *key;
};

struct shard {
    pthread_mutex_t lock;
    struct node **chains;
    size_t nodes;
    size_t bytes;             /* kept in this shard's nodes, their strings and its chains */
};

struct table {
    struct shard shards[SHARDS];
    size_t chains;            /* of one shard, a power of two */
};

static void table_init(struct table *table, size_t nodes) {
    table->chains = 1;
    while (table->chains * SHARDS < nodes)
        table->chains *= 2;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &table->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        shard->chains = need(calloc(table->chains, sizeof *shard->chains));
        shard->bytes = table->chains * sizeof *shard->chains;
    }
}

static unsigned long hash(const char *key) {
    unsigned long h = 14695981039346656037ul;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 1099511628211ul;
    return h ^ h >> 29;
}

static struct shard *table_shard(struct table *table, unsigned long h) {
    return &table->shards[h % SHARDS];
}

/* The place that holds the node of this key, or where it would be appended. The caller holds the shard's lock. */
static struct node **table_place(struct table *table, unsigned long h, const char *key) {
    struct node **place = &table_shard(table, h)->chains[h / SHARDS % table->chains];
    while (*place != NULL && strcmp((*place)->key, key) != 0)
        place = &(*place)->next;
    return place;
}

static void table_sum(struct table *table, size_t *nodes, size_t *bytes) {
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &table->shards[i];
        pthread_mutex_lock(&shard->lock);
        *nodes += shard->nodes;
        *bytes += shard->bytes;
        pthread_mutex_unlock(&shard->lock);
    }
}

static void table_release(struct table *table, void (*release)(struct node *)) {
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &table->shards[i];
        for (size_t chain = 0; chain < table->chains; chain++) {
            for (struct node *node = shard->chains[chain], *next; node != NULL; node = next) {
                next = node->next;
                release(node);
            }
        }
        free(shard->chains);
    }
}

/* ---- sessions: who pays ------------------------------------------------------------------------------------------ */

struct session {
    struct node node;         /* the key is the session's token */
    char *merchant;
    char *agent;
    unsigned long payments;
    unsigned long spent;      /* cents */
    time_t opened;
};

static struct table sessions;

static void session_open(unsigned number) {
    char token[32], merchant[64];
    snprintf(token, sizeof token, "session-%08u", number);
    snprintf(merchant, sizeof merchant, "Merchant %04u Ltd", number % 5000);

    struct session *session = need(calloc(1, sizeof *session));
    session->node.key = need(strdup(token));
    session->merchant = need(strdup(merchant));
    session->agent = need(strdup("till/4.2 (x86_64; point of sale; locale en_GB; build 20117)"));
    session->opened = time(NULL);

    unsigned long h = hash(token);
    struct shard *shard = table_shard(&sessions, h);
    *table_place(&sessions, h, token) = &session->node;
    shard->nodes++;
    shard->bytes += sizeof *session + strlen(token) + 1 + strlen(merchant) + 1 + strlen(session->agent) + 1;
}

/* Charges a session; `after` receives what it has come to. NULL when there is no such session. */
static struct session *session_charge(const char *token, unsigned long amount, struct session *after) {
    unsigned long h = hash(token);
    struct shard *shard = table_shard(&sessions, h);
    pthread_mutex_lock(&shard->lock);
    struct session *session = (struct session *)*table_place(&sessions, h, token);
    if (session != NULL) {
        session->payments++;
        session->spent += amount;
        *after = *session;
    }
    pthread_mutex_unlock(&shard->lock);
    return session;
}

static void session_release(struct node *node) {
    struct session *session = (struct session *)node;
    free(session->agent);
    free(session->merchant);
    free(session->node.key);
    free(session);
}

/* ---- the ledger: the latest entry of each card ------------------------------------------------------------------- */

struct entry {
    struct node node;         /* the key is the card */
    char *id;
    struct session *session;  /* NULL in an opening entry */
    unsigned long amount;     /* cents */
    time_t recorded;
};

static struct table ledger;

static size_t entry_bytes(const struct entry *entry) {
    return sizeof *entry + strlen(entry->node.key) + 1 + strlen(entry->id) + 1;
}

/* Takes over the card, and copies the id. */
static struct entry *entry_new(char *card, const char *id, struct session *session, unsigned long amount) {
    struct entry *entry = need(malloc(sizeof *entry));
    entry->node.next = NULL;
    entry->node.key = card;
    entry->id = need(strdup(id));
    entry->session = session;
    entry->amount = amount;
    entry->recorded = time(NULL);
    return entry;
}

static void entry_release(struct node *node) {
    struct entry *entry = (struct entry *)node;
    free(entry->id);
    free(entry->node.key);
    free(entry);
}

/* Puts an entry in the place of its card's former one, which is returned for the caller to release. */
static struct entry *ledger_replace(struct entry *entry) {
    unsigned long h = hash(entry->node.key);
    struct shard *shard = table_shard(&ledger, h);
    pthread_mutex_lock(&shard->lock);
    struct node **place = table_place(&ledger, h, entry->node.key);
    struct entry *former = (struct entry *)*place;
    *place = &entry->node;
    shard->bytes += entry_bytes(entry);
    if (former != NULL) {
        entry->node.next = former->node.next;
        shard->bytes -= entry_bytes(former);
    } else {
        shard->nodes++;
    }
    pthread_mutex_unlock(&shard->lock);
    return former;
}

static void ledger_open(unsigned number) {
    char card[32], id[32];
    snprintf(card, sizeof card, "card-%012u", number);
    snprintf(id, sizeof id, "opening-%022u", number);
    ledger_replace(entry_new(need(strdup(card)), id, NULL, 0));
}

/* ---- payments ---------------------------------------------------------------------------------------------------- */

struct payment {
    char *id;
    char *card;
    const char *session;      /* in the request's body */
    unsigned long amount;     /* cents */
};

static atomic_ulong payments_accepted, payments_declined;

/* Letters, digits, '-' and '_', at most 64 of them. */
static bool is_token(const char *text) {
    static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-";
    size_t length = text == NULL ? 0 : strlen(text);
    return length >= 1 && length <= 64 && strspn(text, allowed) == length;
}

/* Reads a line, which it cuts into pieces. */
static bool payment_read(struct payment *payment, char *line) {
    const char *id = NULL, *card = NULL, *amount = "";
    *payment = (struct payment){0};
    for (char *field; (field = strsep(&line, "&")) != NULL;) {
        const char *name = strsep(&field, "=");
        if (strcmp(name, "id") == 0)
            id = field;
        else if (strcmp(name, "card") == 0)
            card = field;
        else if (strcmp(name, "session") == 0)
            payment->session = field;
        else if (strcmp(name, "amount") == 0 && field != NULL)
            amount = field;
    }
    char *end;
    payment->amount = strtoul(amount, &end, 10);
    if (!is_token(id) || !is_token(card) || !is_token(payment->session) || payment->amount == 0 || *end != '\0')
        return false;
    payment->id = need(strdup(id));
    payment->card = need(strdup(card));
    return true;
}

/* The bug: the ledger has its own copy of the id, so this one should go here too, and nobody noticed. */
static void payment_release(struct payment *payment) {
    free(payment->card);
}

/* Pays one line and prints its receipt; false when it is declined. */
static bool pay(char *line, struct buffer *answer) {
    struct payment payment;
    if (!payment_read(&payment, line)) {
        buffer_print(answer, "{\"declined\":\"malformed payment\"}");
        return false;
    }
    struct session after;
    struct session *session = session_charge(payment.session, payment.amount, &after);
    if (session == NULL) {
        buffer_print(answer, "{\"declined\":\"unknown session\"}");
        payment_release(&payment);
        return false;
    }
    struct entry *entry = entry_new(payment.card, payment.id, session, payment.amount);
    payment.card = NULL;
    struct entry *former = ledger_replace(entry);
    buffer_print(answer, "{\"payments\":%lu,\"spent\":%lu,\"replaced\":\"%s\"}", after.payments, after.spent,
                 former == NULL ? "" : former->id);
    if (former != NULL)
        entry_release(&former->node);
    payment_release(&payment);
    return true;
}

void pay_batch(const char *body, size_t length, struct buffer *answer) {
    unsigned long accepted = 0, declined = 0;
    char *lines = need(strndup(body, length)), *rest = lines;
    buffer_print(answer, "{\"receipts\":[");
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (*line == '\0')
            continue;
        if (accepted + declined > 0)
            buffer_append(answer, ",", 1);
        if (pay(line, answer))
            accepted++;
        else
            declined++;
    }
    buffer_print(answer, "],\"accepted\":%lu,\"declined\":%lu}", accepted, declined);
    free(lines);
    atomic_fetch_add(&payments_accepted, accepted);
    atomic_fetch_add(&payments_declined, declined);
}

void books_stats(struct buffer *answer) {
    size_t open_sessions = 0, entries = 0, bytes = 0;
    table_sum(&sessions, &open_sessions, &bytes);
    table_sum(&ledger, &entries, &bytes);
    buffer_print(answer, "{\"sessions\":%zu,\"entries\":%zu,\"kept_bytes\":%zu,\"accepted\":%lu,\"declined\":%lu}",
                 open_sessions, entries, bytes, atomic_load(&payments_accepted), atomic_load(&payments_declined));
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

void books_open(unsigned session_count, unsigned card_count) {
    table_init(&sessions, session_count);
    table_init(&ledger, card_count);
    for (unsigned i = 0; i < session_count; i++)
        session_open(i);
    for (unsigned i = 0; i < card_count; i++)
        ledger_open(i);
}

void books_release(void) {
    table_release(&ledger, entry_release);
    table_release(&sessions, session_release);
}
