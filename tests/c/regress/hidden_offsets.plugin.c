/* Stands for fontconfig: an object says where another one is by the distance between them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
    int count;
    intptr_t distance;
};

struct pattern *make(int count)
{
    struct pattern *pattern = malloc(sizeof *pattern);
    int *numbers = calloc(1, sizeof *numbers);
    numbers = realloc(numbers, (size_t)count * sizeof *numbers);
    for (int i = 0; i < count; i++)
        numbers[i] = i;
    pattern->count = count;
    pattern->distance = (intptr_t)numbers - (intptr_t)pattern;
    return pattern;
}

int is_whole(struct pattern *pattern)
{
    int *numbers = (int *)((intptr_t)pattern + pattern->distance);
    for (int i = 0; i < pattern->count; i++)
        if (numbers[i] != i)
            return 0;
    return 1;
}

void drop(struct pattern *pattern)
{
    free((void *)((intptr_t)pattern + pattern->distance));
    free(pattern);
}
