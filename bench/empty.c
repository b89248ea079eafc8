/* What it costs to start and end any program: the measure for commands that need no engine. */
int main(void) { return 0; }
