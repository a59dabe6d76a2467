/* Closes every descriptor but the first three, and has the file named by its argument at each of their numbers instead:
 * none of the library's lines belongs there. */
#include <fcntl.h>
#include <unistd.h>
#include "family.h"

int main(int count, char **arguments)
{
    int i, other = count > 1 ? open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    CHECK(other > 2, "no file");
    use(malloc(100));
    for (i = 3; i < 1024; i++)
        if (i != other)
            CHECK(dup2(other, i) == i, "descriptor %d", i);
    return 0;
}
