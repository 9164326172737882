// expect: was not declared
int main() { return undeclared; }
