/* A load generator: keep-alive connections that each send one request, wait for its answer, and send the next.
 *
 *     load PORT CONNECTIONS MILLISECONDS REQUEST EXPECTED [OTHER OTHER_EXPECTED EVERY]
 *
 * REQUEST is a file with the bytes of one HTTP request; an answer counts as good when EXPECTED occurs in it. With OTHER,
 * every EVERY-th request is that one instead, counted apart. When the time is over, answers are still waited for.
 * Prints one line of JSON: seconds, and for both kinds the number of good and bad answers and latencies in microseconds.
 * Compiled by `bench.load` with the system's C compiler; one thread, epoll, no dependencies.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST_ANSWER = 1 << 20, MOST_LATENCIES = 1 << 22, GRACE_MS = 20000 };

struct kind { char *request; size_t length; const char *expected; long good, bad, count; double *latencies; };
struct connection { int fd; size_t received; double started; struct kind *kind; char *answer; };

static struct kind kinds[2];
static long sent, every;
static int port, poller, open_requests;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void die(const char *what) { perror(what); exit(1); }

static void read_request(struct kind *kind, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    kind->request = malloc(LARGEST_ANSWER);
    kind->length = fread(kind->request, 1, LARGEST_ANSWER, file);
    fclose(file);
    kind->latencies = malloc(sizeof(double) * MOST_LATENCIES);
}

static void connect_again(struct connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event)) die("epoll_ctl");
}

static void ask(struct connection *c) {
    c->kind = &kinds[every && ++sent % every == 0];
    c->received = 0;
    c->started = now();
    open_requests++;
    if (send(c->fd, c->kind->request, c->kind->length, MSG_NOSIGNAL) != (ssize_t)c->kind->length) {
        close(c->fd);
        connect_again(c);
        send(c->fd, c->kind->request, c->kind->length, MSG_NOSIGNAL);
    }
}

/* 1 when the answer is complete. Bodies have a Content-Length or are chunked. */
static int is_complete(struct connection *c) {
    c->answer[c->received] = 0;
    char *end = strstr(c->answer, "\r\n\r\n");
    if (!end) return 0;
    char *length = strcasestr(c->answer, "\r\ncontent-length:");
    if (length && length < end) return c->received >= (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10);
    return c->received >= 5 && !memcmp(c->answer + c->received - 5, "0\r\n\r\n", 5);
}

static void finish(struct connection *c, int good) {
    struct kind *kind = c->kind;
    if (kind->count < MOST_LATENCIES) kind->latencies[kind->count++] = now() - c->started;
    if (good) kind->good++; else kind->bad++;
    open_requests--;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_kind(const char *name, struct kind *kind) {
    long n = kind->count;
    if (n) qsort(kind->latencies, n, sizeof(double), by_value);
    printf("\"%s\":{\"good\":%ld,\"bad\":%ld,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}", name, kind->good, kind->bad,
           n ? kind->latencies[n / 2] : 0, n ? kind->latencies[(long)(n * 0.99)] : 0, n ? kind->latencies[n - 1] : 0);
}

int main(int argc, char **argv) {
    if (argc != 6 && argc != 9) { fprintf(stderr, "usage: see load.c\n"); return 2; }
    port = atoi(argv[1]);
    int connections = atoi(argv[2]);
    double begin, stop, last, duration = atof(argv[3]) * 1e3;
    read_request(&kinds[0], argv[4]);
    kinds[0].expected = argv[5];
    if (argc == 9) { read_request(&kinds[1], argv[6]); kinds[1].expected = argv[7]; every = atol(argv[8]); }
    poller = epoll_create1(0);
    struct connection *all = calloc(connections, sizeof *all);
    for (int i = 0; i < connections; i++) { all[i].answer = malloc(LARGEST_ANSWER + 1); connect_again(&all[i]); }
    begin = last = now();
    stop = begin + duration;
    for (int i = 0; i < connections; i++) ask(&all[i]);
    struct epoll_event events[128];
    while (open_requests && now() < stop + GRACE_MS * 1e3) {
        int count = epoll_wait(poller, events, 128, 100);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            ssize_t size = recv(c->fd, c->answer + c->received, LARGEST_ANSWER - c->received, 0);
            if (size < 0 && errno == EAGAIN) continue;
            if (size > 0) c->received += size;
            if (size > 0 && !is_complete(c)) continue;
            finish(c, size > 0 && strstr(c->answer, c->kind->expected) != NULL);
            if (size <= 0 || strcasestr(c->answer, "\r\nconnection: close")) { close(c->fd); connect_again(c); }
            last = now();
            if (last < stop) ask(c);
        }
    }
    printf("{\"seconds\":%.6f,\"unanswered\":%d,", (last - begin) / 1e6, open_requests);
    print_kind("calls", &kinds[0]);
    printf(",");
    print_kind("others", &kinds[1]);
    printf("}\n");
    return 0;
}
