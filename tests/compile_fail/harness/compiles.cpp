// expect: no match
int main() {}
