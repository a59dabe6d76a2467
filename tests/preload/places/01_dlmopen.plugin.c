/* What 01_dlmopen opens. */
void *data[100] = { data };
void *zeroed[4096];
