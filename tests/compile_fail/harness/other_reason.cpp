// expect: use of deleted function
#ifdef USHER_MUST_FAIL
int main() { return undeclared; }
#endif
