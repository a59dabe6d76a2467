/* The library looks up names that nobody has, and leaves no message of that for the program. */
#include "preload.h"

#include <dlfcn.h>

int main(void)
{
    const char *message = dlerror();
    puts(message != NULL ? message : "nothing has failed");
    return 0;
}
