/* What 01_dlopen opens. */
void *data[100] = { data };
void *zeroed[4096];
