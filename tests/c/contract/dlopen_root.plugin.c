/* A library with room for a thousand words in its static data. */
static void *room[1000];

void **plugin_words(void);
void **plugin_words(void)
{
    return room;
}
