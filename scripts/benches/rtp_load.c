/* RTP load for scripts/benches/media.py: N callers in one thread, none of them disturbing the process under test.
 *
 * usage: rtp_load CALLS SECONDS WARM_UP_SECONDS CODES_FILE < gateway's ports
 * Prints its own ports (one line), reads as many destination ports on stdin, then for SECONDS sends every caller's
 * frame each 20 ms, the callers spread evenly over the 20 ms, and takes what comes back with the kernel's time stamps.
 * Prints one line of JSON: packets sent and received after the warm-up, sequence gaps, silent packets, and the
 * deviation of arrivals from each call's own 20 ms grid (median removed) in ms.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 160, HEADER = 12, SLOTS = 20, MS = 1000000, ULAW_SILENCE = 0xff };

struct call {
    int fd;
    uint16_t sequence, last_sequence;
    uint32_t timestamp, ssrc, first_timestamp;
    long offset, packets;
    double *deviations;
};

static long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double d = *(const double *)a - *(const double *)b;
    return (d > 0) - (d < 0);
}

static double percentile(const double *sorted, long count, double share)
{
    long place = (long)(share * count);
    return count ? sorted[place < count ? place : count - 1] : 0;
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    int calls = atoi(argv[1]);
    long ticks = atof(argv[2]) * 50, warm_up = atof(argv[3]) * 50;
    static uint8_t codes[1 << 20];
    FILE *file = fopen(argv[4], "rb");
    if (!file) return 2;
    long frames = fread(codes, 1, sizeof codes, file) / FRAME;
    struct call *all = calloc(calls, sizeof *all);
    int yes = 1;
    for (int i = 0; i < calls; i++) {
        struct call *c = &all[i];
        struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof here;
        c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(c->fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
        if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&here, size)) return 1;
        getsockname(c->fd, (struct sockaddr *)&here, &size);
        printf("%d%c", ntohs(here.sin_port), i + 1 < calls ? ' ' : '\n');
        c->ssrc = 0x10000 + i;
        c->offset = (long)i * 37 % frames;
        c->deviations = malloc(sizeof(double) * (ticks + 200));
    }
    fflush(stdout);
    for (int i = 0; i < calls; i++) {
        int port;
        if (scanf("%d", &port) != 1) return 1;
        struct sockaddr_in there = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        there.sin_port = htons(port);
        if (connect(all[i].fd, (struct sockaddr *)&there, sizeof there)) return 1;
    }
    long begin = now_ns(), sent = 0, received = 0, gaps = 0, silent = 0, measured_from = begin + warm_up * 20 * MS;
    uint8_t packet[HEADER + FRAME], got[2048], control[256];
    for (long step = 0; step < ticks * SLOTS; step++) {
        long due = begin + step * MS;
        struct timespec until = {due / 1000000000L, due % 1000000000L};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        int slot = step % SLOTS;
        for (int i = slot; i < calls; i += SLOTS) {
            struct call *c = &all[i];
            packet[0] = 0x80;
            packet[1] = 0;
            *(uint16_t *)(packet + 2) = htons(c->sequence++);
            *(uint32_t *)(packet + 4) = htonl(c->timestamp);
            *(uint32_t *)(packet + 8) = htonl(c->ssrc);
            memcpy(packet + HEADER, codes + (c->offset + step / SLOTS) % frames * FRAME, FRAME);
            c->timestamp += FRAME;
            if (send(c->fd, packet, sizeof packet, 0) > 0 && due >= measured_from) sent++;
        }
        for (int i = (slot + SLOTS / 2) % SLOTS; i < calls; i += SLOTS) {
            struct call *c = &all[i];
            for (;;) {
                struct iovec part = {got, sizeof got};
                struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                                         .msg_controllen = sizeof control};
                ssize_t size = recvmsg(c->fd, &message, 0);
                if (size < HEADER) break;
                if (now_ns() < measured_from) continue;
                struct cmsghdr *stamp = CMSG_FIRSTHDR(&message);
                if (!stamp || c->packets >= ticks + 200) continue;
                struct timespec at;
                memcpy(&at, CMSG_DATA(stamp), sizeof at);
                uint16_t sequence = ntohs(*(uint16_t *)(got + 2));
                uint32_t timestamp = ntohl(*(uint32_t *)(got + 4));
                if (!c->packets) c->first_timestamp = timestamp;
                else if ((uint16_t)(sequence - c->last_sequence) != 1) gaps++;
                c->last_sequence = sequence;
                int loud = 0;
                for (int k = HEADER; k < size; k++) loud |= got[k] != ULAW_SILENCE;
                silent += !loud;
                double frame = (double)(uint32_t)(timestamp - c->first_timestamp) / FRAME;
                c->deviations[c->packets++] = (at.tv_sec % 100000) * 1e3 + at.tv_nsec / 1e6 - frame * 20;
                received++;
            }
        }
    }
    double *deviations = malloc(sizeof(double) * (received + 1));
    long count = 0;
    for (int i = 0; i < calls; i++) {
        struct call *c = &all[i];
        if (!c->packets) continue;
        qsort(c->deviations, c->packets, sizeof(double), ascending);
        double middle = percentile(c->deviations, c->packets, 0.5);
        for (long k = 0; k < c->packets; k++) deviations[count++] = fabs(c->deviations[k] - middle);
    }
    qsort(deviations, count, sizeof(double), ascending);
    printf("{\"sent\": %ld, \"received\": %ld, \"gaps\": %ld, \"silent\": %ld, \"deviation_p50_ms\": %.3f, "
           "\"deviation_p99_ms\": %.3f, \"deviation_max_ms\": %.3f}\n",
           sent, received, gaps, silent, percentile(deviations, count, 0.5), percentile(deviations, count, 0.99),
           percentile(deviations, count, 1));
    return 0;
}
