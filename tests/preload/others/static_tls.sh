#!/usr/bin/env bash
# Forty libraries with thread-local storage that has to be there from the start take all that the C library keeps spare;
# opened after them, ours either finds room or is refused with the loader's own message. Preloaded, it comes first.
set -euo pipefail
library=$1/libgleaner_malloc.so
scratch=$2
for i in $(seq 40); do
    printf 'static __thread char block[32] __attribute__((tls_model("initial-exec"))); char *block_%d(void) { return block; }\n' "$i" \
        | gcc -x c -w -shared -fPIC -o "$scratch/tls$i.so" -
done
cat >"$scratch/opens.c" <<'PROGRAM'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int count, char **arguments)
{
    int opened = 0;
    for (int i = 1; i < count - 1; i++)
        opened += dlopen(arguments[i], RTLD_NOW) != NULL;
    void *ours = dlopen(arguments[count - 1], RTLD_NOW);
    const char *why = ours == NULL ? dlerror() : "";
    free(malloc(1000));
    printf("%s\n", ours != NULL || strstr(why, "static TLS") != NULL ? "as it should be" : why);
    return 0;
}
PROGRAM
gcc -w -fno-builtin "$scratch/opens.c" -o "$scratch/opens" -ldl
said=$("$scratch/opens" "$scratch"/tls*.so "$library")
[ "$said" = 'as it should be' ] || { echo "static_tls.sh: opened last: $said"; exit 1; }
said=$(LD_PRELOAD=$library GLEANER_OPTIONS=zeal=20:verify=1 "$scratch/opens" "$scratch"/tls*.so "$library" 2>&1)
[ "$said" = 'as it should be' ] || { echo "static_tls.sh: preloaded: $said"; exit 1; }
