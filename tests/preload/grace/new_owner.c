/* An object that was out of sight is freed by hand, and its slot is another's then, who is out of sight too: that one has a
 * grace of its own.
 *
 * survives: grace=3
 */
#include "preload.h"

enum { MANY = 200 };
static uintptr_t hidden[MANY], later[MANY];

static void put(void)
{
    for (int i = 0; i < MANY; i++)
        hidden[i] = hide(victim_new());
}

static void exchange(void)
{
    for (int i = 0; i < MANY; i++)
        free(reveal(hidden[i]));
    for (int i = 0; i < MANY; i++)
        later[i] = hide(victim_new());
}

static void overwrite(void)
{
    void *made[1000];
    for (int i = 0; i < 1000; i++) {
        NEED((made[i] = malloc(VICTIM_BYTES)) != NULL);
        memset(made[i], 0xee, VICTIM_BYTES);
    }
    for (int i = 0; i < 1000; i++)
        free(made[i]);
}

static void collect(void)
{
    clear_stack(16);
    malloc_trim(0);
}

int main(void)
{
    run(put);
    collect();
    collect();
    run(exchange);
    collect();
    collect();
    run(overwrite);
    int whole = 0;
    for (int i = 0; i < MANY; i++)
        whole += victim_is_whole(reveal(later[i]));
    return verdict(whole == MANY);
}
