/* Row 6: the only pointer is in the environment, beyond the first frame of the initial stack: putenv replaced a variable.
 * blind: stack_top
 */
#include "preload.h"

static void put(void)
{
    char *text = malloc(48);
    NEED(text != NULL);
    strcpy(text, "LANG=the text of a variable that was replaced");
    NEED(putenv(text) == 0);
}

int main(int argc, char **argv)
{
    /* There has to be one to replace. */
    if (getenv("LANG") == NULL) {
        setenv("LANG", "C", 1);
        execv("/proc/self/exe", argv);
        GIVE_UP("execv with %d arguments", argc);
    }
    run(put);
    churn();
    const char *text = getenv("LANG");
    return verdict(text != NULL && strcmp(text, "the text of a variable that was replaced") == 0);
}
