// Plays a kernel script on the Linux it runs on: docs/reference/scripts.md has its words, and test/play plays the
// same script on the simulated Linux. Each command prints itself after ">", then what came of it.
//
//   player [-q] SCRIPT      -q: a pause ends as soon as what it waits for is over, or cannot be soon
//
// A pause lets a child come to its end or to where it blocks; the simulated Linux passes the same time.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/types.h>
#include <linux/vfio.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_NAMES = 4096, NAME_BYTES = 32, LINE_BYTES = 4096, READ_BYTES = 4095 };
enum { FORK_MS = 300, SIGNAL_MS = 300, POLL_MS = 50, SETTLE_MS = 150, QUIET_MS = 40, MONITOR_MS = 2500 };
// With -q: a child that has not run for so long is blocked; a signal has had its effect.
enum { STILL_MS = 1100, QUICK_SIGNAL_MS = 60 };

// VFIO_DEVICE_BIND_IOMMUFD, which headers before 6.6 do not have.
struct bind_iommufd {
  __u32 argsz, flags;
  __s32 iommufd;
  __u32 out_devid;
};
#define BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)

struct file {
  char name[NAME_BYTES];
  int fd;
};
struct child {
  char name[NAME_BYTES];
  pid_t pid;
  bool ended;
  long switches;
  int still_ms;
};

static struct file files[MAX_NAMES];
static int file_count;
static struct child children[MAX_NAMES];
static int child_count;
static int uevents;
static bool quick;

static void sleep_ms(int ms) { usleep(1000 * ms); }

static void print_result(const char *call, long result) {
  if (result < 0)
    printf("   -> %s: ERR %s(%d)\n", call, strerrorname_np(errno), errno);
  else
    printf("   -> %s: OK %ld\n", call, result);
}

// The next word of *rest, which is moved behind it and one blank.
static char *word(char **rest) {
  char *found = strtok_r(NULL, " ", rest);
  return found == NULL ? "" : found;
}

static int fd_of(const char *name) {
  for (int i = file_count - 1; i >= 0; i--)
    if (strcmp(files[i].name, name) == 0) return files[i].fd;
  return -1;
}

static void keep(const char *name, int fd) {
  if (file_count == MAX_NAMES) exit(70);
  snprintf(files[file_count].name, NAME_BYTES, "%s", name);
  files[file_count++].fd = fd;
}

static void close_file(const char *name) {
  for (int i = file_count - 1; i >= 0; i--) {
    if (strcmp(files[i].name, name) != 0) continue;
    close(files[i].fd);
    memmove(&files[i], &files[i + 1], (file_count - i - 1) * sizeof files[0]);
    file_count--;
    break;
  }
  printf("   -> closed\n");
}

// One write(2); -1 with errno. *opened tells a failed open from a failed write.
static long write_once(const char *path, const char *data, bool *opened) {
  int fd = open(path, O_WRONLY);
  *opened = fd >= 0;
  if (fd < 0) return -1;
  char bytes[LINE_BYTES];
  size_t count = 0;
  for (const char *c = data; *c != '\0'; c++) {
    bool escape = c[0] == '\\' && (c[1] == 'n' || c[1] == '0');
    bytes[count++] = !escape ? *c : c[1] == 'n' ? '\n' : '\0';
    c += escape;
  }
  ssize_t result = write(fd, bytes, count);
  int failure = errno;
  close(fd);
  errno = failure;
  return result;
}

static void write_file(const char *path, const char *data) {
  bool opened;
  long result = write_once(path, data, &opened);
  print_result(opened ? "write" : "open", result);
}

static void read_file(const char *path) {
  char text[READ_BYTES + 1];
  int fd = open(path, O_RDONLY);
  if (fd < 0) return print_result("open", -1);
  ssize_t count = read(fd, text, READ_BYTES);
  int failure = errno;
  close(fd);
  errno = failure;
  if (count < 0) return print_result("read", -1);
  text[count] = '\0';
  for (char *c = text; *c != '\0'; c++)
    if (*c == '\n') *c = '|';
  printf("   = %s\n", text);
}

static void read_link(const char *path) {
  char target[LINE_BYTES];
  ssize_t count = readlink(path, target, sizeof target - 1);
  if (count < 0) return print_result("readlink", -1);
  target[count] = '\0';
  const char *last = strrchr(target, '/');
  printf("   = ->%s\n", last == NULL ? target : last + 1);
}

static void list_folder(const char *path) {
  DIR *folder = opendir(path);
  if (folder == NULL) return print_result("opendir", -1);
  printf("   =");
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    if (entry->d_name[0] != '.') printf(" %s", entry->d_name);
  printf("\n");
  closedir(folder);
}

static void print_mode(const char *path) {
  struct stat found;
  if (stat(path, &found) != 0) return print_result("stat", -1);
  printf("   = mode %o\n", found.st_mode & 07777);
}

static struct child *child_of(const char *name) {
  for (int i = child_count - 1; i >= 0; i--)
    if (strcmp(children[i].name, name) == 0) return &children[i];
  return NULL;
}

static bool has_ended(pid_t pid) {
  siginfo_t info = {0};
  return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

static char state_of(pid_t pid) {
  char path[64], text[512] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return '?';
  if (fgets(text, sizeof text, file) == NULL) text[0] = '\0';
  fclose(file);
  const char *end = strrchr(text, ')');
  return end == NULL ? '?' : end[2];
}

// How often a process has gone to sleep.
static long switches_of(pid_t pid) {
  char path[64], line[256];
  long count = 0;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL) sscanf(line, "voluntary_ctxt_switches: %ld", &count);
  fclose(file);
  return count;
}

// A pause for a child. With -q it is over when the child has ended, or has slept without waking for a while.
static void pause_for(struct child *child, int ms) {
  if (!quick) return sleep_ms(ms);
  for (int passed = 0; passed < ms && child->still_ms < STILL_MS && !has_ended(child->pid); passed++) {
    sleep_ms(1);
    long switches = switches_of(child->pid);
    child->still_ms = switches == child->switches && state_of(child->pid) != 'R' ? child->still_ms + 1 : 0;
    child->switches = switches;
  }
}

static struct child *forked(const char *name, pid_t pid) {
  if (child_count == MAX_NAMES) exit(70);
  struct child *child = &children[child_count++];
  snprintf(child->name, NAME_BYTES, "%s", name);
  child->pid = pid;
  child->ended = false;
  child->switches = 0;
  child->still_ms = 0;
  return child;
}

static void drop_files(void) {
  for (int i = 0; i < file_count; i++) close(files[i].fd);
}

static void write_in_child(const char *name, const char *path, const char *data) {
  pid_t pid = fork();
  if (pid == 0) {
    drop_files();
    bool opened;
    long result = write_once(path, data, &opened);
    printf("   [async %s] write %s: %s\n", name, path, result < 0 ? strerrorname_np(errno) : "OK");
    fflush(stdout);
    _exit(0);
  }
  pause_for(forked(name, pid), FORK_MS);
}

static void read_in_child(const char *name, const char *path) {
  pid_t pid = fork();
  if (pid == 0) {
    drop_files();
    char text[READ_BYTES + 1];
    int fd = open(path, O_RDONLY);
    ssize_t count = read(fd, text, READ_BYTES);
    if (count >= 0) text[count] = '\0';
    // In one write: what the player prints meanwhile must not come between the lines of a text.
    static char said[READ_BYTES + LINE_BYTES];
    int length = snprintf(said, sizeof said, "   [async %s] read %s: %s\n", name, path,
                          count < 0 ? strerrorname_np(errno) : text);
    if (write(STDOUT_FILENO, said, length) < 0) _exit(1);
    _exit(0);
  }
  pause_for(forked(name, pid), FORK_MS);
}

static void wait_for(const char *name, int limit_ms) {
  struct child *child = child_of(name);
  if (child == NULL) return;
  int passed_ms = 0;
  // Waiting anew: what it was blocked by may be gone.
  child->still_ms = 0;
  while (!child->ended && waitpid(child->pid, NULL, WNOHANG) == 0 && passed_ms < limit_ms) {
    pause_for(child, POLL_MS);
    if (quick && child->still_ms >= STILL_MS && !has_ended(child->pid)) break;
    passed_ms += POLL_MS;
  }
  if (!child->ended && kill(child->pid, 0) == 0)
    printf("   -> STILL BLOCKED state=%c\n", state_of(child->pid));
  else {
    child->ended = true;
    printf("   -> done after ~%dms\n", passed_ms);
  }
}

static void send_signal(const char *name, int number) {
  struct child *child = child_of(name);
  if (child != NULL) print_result("kill", kill(child->pid, number));
  sleep_ms(quick ? QUICK_SIGNAL_MS : SIGNAL_MS);
}

static bool is_printed(const char *pair) {
  static const char *const keys[] = {"SUBSYSTEM=", "DRIVER=", "DEVNAME=", "PCI_SLOT_NAME="};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (strncmp(pair, keys[i], strlen(keys[i])) == 0) return true;
  return false;
}

static void print_uevent(const char *message, ssize_t count) {
  if (strstr(message, "/module/") != NULL || strstr(message, "slab") != NULL) return;
  printf("   uevent %s |", message);
  const char *end = message + count;
  for (const char *pair = message + strlen(message) + 1; pair < end; pair += strlen(pair) + 1) {
    if (strncmp(pair, "MODALIAS=", 9) == 0) printf(" MODALIAS=..");
    else if (strncmp(pair, "SEQNUM", 6) == 0) printf(" SEQNUM");
    else if (is_printed(pair)) printf(" %s", pair);
  }
  printf("\n");
}

// Takes what came since the last time. With -q, until nothing has come for a while.
static void take_uevents(bool print) {
  char message[8192];
  struct pollfd poller = {uevents, POLLIN, 0};
  if (!quick) sleep_ms(SETTLE_MS);
  while (poll(&poller, 1, quick ? QUIET_MS : 0) > 0) {
    ssize_t count = recv(uevents, message, sizeof message - 1, MSG_DONTWAIT);
    if (count <= 0) break;
    message[count] = '\0';
    if (print) print_uevent(message, count);
  }
}

static void print_status(int group) {
  struct vfio_group_status status = {.argsz = sizeof status};
  if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) != 0) return print_result("GET_STATUS", -1);
  printf("   = flags%s%s\n", status.flags & VFIO_GROUP_FLAGS_VIABLE ? " VIABLE" : " !viable",
         status.flags & VFIO_GROUP_FLAGS_CONTAINER_SET ? " CONTAINER_SET" : "");
}

static void named(const char *name, const char *call, int fd) {
  print_result(call, fd);
  if (fd >= 0) keep(name, fd);
}

// Calls on open files; false when the command is another one.
static bool call_file(const char *command, char **rest) {
  if (strcmp(command, "open") == 0) {
    const char *name = word(rest);
    named(name, "open", open(word(rest), O_RDWR | O_CLOEXEC));
  } else if (strcmp(command, "close") == 0) {
    close_file(word(rest));
  } else if (strcmp(command, "status") == 0) {
    print_status(fd_of(word(rest)));
  } else if (strcmp(command, "setcont") == 0) {
    int group = fd_of(word(rest));
    int container = fd_of(word(rest));
    print_result("SET_CONTAINER", ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
  } else if (strcmp(command, "unset") == 0) {
    print_result("UNSET_CONTAINER", ioctl(fd_of(word(rest)), VFIO_GROUP_UNSET_CONTAINER));
  } else if (strcmp(command, "setiommu") == 0) {
    int container = fd_of(word(rest));
    print_result("SET_IOMMU", ioctl(container, VFIO_SET_IOMMU, atol(word(rest))));
  } else if (strcmp(command, "getdev") == 0) {
    const char *name = word(rest);
    int group = fd_of(word(rest));
    named(name, "GET_DEVICE_FD", ioctl(group, VFIO_GROUP_GET_DEVICE_FD, *rest));
  } else if (strcmp(command, "bindiommufd") == 0) {
    int device = fd_of(word(rest));
    struct bind_iommufd bind = {sizeof bind, 0, fd_of(word(rest)), 0};
    print_result("BIND_IOMMUFD", ioctl(device, BIND_IOMMUFD, &bind));
  } else if (strcmp(command, "devreset") == 0 || strcmp(command, "reset") == 0) {
    print_result("DEVICE_RESET", ioctl(fd_of(word(rest)), VFIO_DEVICE_RESET));
  } else {
    return false;
  }
  return true;
}

// Commands that look at files or change them; false when the command is another one.
static bool use_path(const char *command, char **rest) {
  bool in_child = strcmp(command, "wa") == 0 || strcmp(command, "ra") == 0;
  const char *name = in_child ? word(rest) : "";
  if (strcmp(command, "w") == 0) {
    const char *path = word(rest);
    write_file(path, *rest);
  } else if (strcmp(command, "wa") == 0) {
    const char *path = word(rest);
    write_in_child(name, path, *rest);
  } else if (strcmp(command, "ra") == 0) read_in_child(name, word(rest));
  else if (strcmp(command, "r") == 0) read_file(word(rest));
  else if (strcmp(command, "rl") == 0) read_link(word(rest));
  else if (strcmp(command, "ls") == 0) list_folder(word(rest));
  else if (strcmp(command, "stat") == 0) print_mode(word(rest));
  else return false;
  return true;
}

static void run(const char *command, char *rest) {
  if (use_path(command, &rest) || call_file(command, &rest)) return;
  if (strcmp(command, "wait") == 0) {
    const char *name = word(&rest);
    wait_for(name, atoi(word(&rest)));
  } else if (strcmp(command, "sig") == 0) {
    const char *name = word(&rest);
    send_signal(name, atoi(word(&rest)));
  } else if (strcmp(command, "ue") == 0) take_uevents(true);
  else if (strcmp(command, "ueq") == 0) take_uevents(false);
  else if (strcmp(command, "sleep") == 0) sleep_ms(atoi(word(&rest)));
  else if (strcmp(command, "sh") == 0) {
    fflush(stdout);
    if (system(rest) == -1) print_result("system", -1);
  } else if (strcmp(command, "host") == 0) {
    printf("@@HOST %s\n", rest);
    fflush(stdout);
    sleep_ms(MONITOR_MS);
  } else printf("   ?? %s is no command\n", command);
}

static int uevent_socket(void) {
  int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
  int bytes = 64 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) perror("uevents");
  return fd;
}

int main(int argc, char **argv) {
  quick = argc == 3 && strcmp(argv[1], "-q") == 0;
  // The script is read whole: a descriptor of its own would shift the numbers that open prints.
  FILE *file = fopen(argv[argc - 1], "r");
  if (argc < 2 || file == NULL) return 66;
  static char script[4 << 20];
  size_t length = fread(script, 1, sizeof script - 1, file);
  fclose(file);
  script[length] = '\0';
  setvbuf(stdout, NULL, _IOLBF, 0);
  uevents = uevent_socket();
  printf("@@START\n");
  char *next = script;
  for (char *line; (line = strsep(&next, "\n")) != NULL;) {
    if (*line == '\0' || *line == '#') continue;
    printf("> %s\n", line);
    fflush(stdout);
    char *rest;
    const char *command = strtok_r(line, " ", &rest);
    run(command, rest);
  }
  fflush(stdout);
  return 0;
}
