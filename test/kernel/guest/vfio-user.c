// A program that uses devices through VFIO as a virtual machine would, and says what came of every step.
//
//   vfio-user GROUP ADDRESS...   opens /dev/vfio/GROUP, maps memory for DMA, opens each device and reads what it is
//                                from its configuration space, says "holding", and holds until its input ends
//   vfio-user --watch GROUP ADDRESS...   also resets each device, and says so when the kernel wants one back
//   vfio-user --group GROUP      opens the group only, and holds
//   vfio-user --files FILE...    opens each device by its own file (/dev/vfio/devices/vfioN), and maps memory for DMA by
//                                /dev/iommu; no group is opened
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/** What headers before 6.6 do not have: linux/iommufd.h, and what linux/vfio.h got with it. */
struct bind_iommufd {
  uint32_t argsz, flags;
  int32_t iommufd;
  uint32_t devid;
};
struct attach_iommufd {
  uint32_t argsz, flags, pt_id;
};
struct ioas_alloc {
  uint32_t size, flags, ioas_id;
};
struct ioas_map {
  uint32_t size, flags, ioas_id, reserved;
  uint64_t user_va, length, iova;
};
#define BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#define ATTACH_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 19)
#define IOAS_ALLOC _IO(';', 0x81)
#define IOAS_MAP _IO(';', 0x85)
enum { IOAS_FIXED_IOVA = 1, IOAS_WRITEABLE = 2, IOAS_READABLE = 4 };

enum { MAP_BYTES = 1 << 20, IOVA = 0x10000000, DEVICES_MAX = 16 };

/** Signalled when the kernel wants a device back; the first is standard input. */
static struct pollfd events[1 + DEVICES_MAX] = {{.fd = 0, .events = POLLIN}};
static const char *watched[1 + DEVICES_MAX];
static int watching = 1;

static int step(const char *what, int result) {
  if (result < 0) {
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
  }
  printf("%s: ok\n", what);
  return result;
}

static void hold(void) {
  char bytes[8];
  printf("holding\n");
  fflush(stdout);
  while (poll(events, watching, -1) > 0) {
    if (events[0].revents && read(0, bytes, 1) <= 0) break;
    for (int i = 1; i < watching; i++) {
      if (!events[i].revents || read(events[i].fd, bytes, sizeof bytes) < 0) continue;
      printf("%s is wanted back\n", watched[i]);
      fflush(stdout);
    }
  }
  printf("let go\n");
}

static void watch_device(int device, const char *address) {
  if (ioctl(device, VFIO_DEVICE_RESET) == 0) printf("%s is reset\n", address);
  else printf("%s cannot be reset: %s\n", address, strerror(errno));
  if (watching > DEVICES_MAX) return;
  struct {
    struct vfio_irq_set set;
    int32_t event;
  } irq = {
      .set = {.argsz = sizeof irq,
              .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
              .index = VFIO_PCI_REQ_IRQ_INDEX,
              .count = 1},
      .event = step("eventfd", eventfd(0, EFD_NONBLOCK)),
  };
  step("watch", ioctl(device, VFIO_DEVICE_SET_IRQS, &irq));
  events[watching] = (struct pollfd){.fd = irq.event, .events = POLLIN};
  watched[watching++] = address;
}

static void read_device(int device, const char *name) {
  struct vfio_region_info config = {.argsz = sizeof config, .index = VFIO_PCI_CONFIG_REGION_INDEX};
  step("GET_REGION_INFO", ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config));
  uint32_t id = 0;
  step("read", pread(device, &id, sizeof id, config.offset));
  printf("%s is %04x:%04x\n", name, id & 0xffff, id >> 16);
}

static void use_device(int group, const char *address, int watch) {
  int device = step("GET_DEVICE_FD", ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address));
  read_device(device, address);
  if (watch) watch_device(device, address);
}

static void use_files(char **paths, int count) {
  int iommu = step("open iommu", open("/dev/iommu", O_RDWR));
  struct ioas_alloc space = {.size = sizeof space};
  step("IOAS_ALLOC", ioctl(iommu, IOAS_ALLOC, &space));
  for (int i = 0; i < count; i++) {
    int device = step("open device", open(paths[i], O_RDWR));
    struct bind_iommufd bind = {.argsz = sizeof bind, .iommufd = iommu};
    step("BIND_IOMMUFD", ioctl(device, BIND_IOMMUFD, &bind));
    struct attach_iommufd attach = {.argsz = sizeof attach, .pt_id = space.ioas_id};
    step("ATTACH_IOMMUFD", ioctl(device, ATTACH_IOMMUFD, &attach));
    read_device(device, paths[i]);
    watch_device(device, paths[i]);
  }
  void *memory = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct ioas_map map = {
      .size = sizeof map,
      .flags = IOAS_FIXED_IOVA | IOAS_WRITEABLE | IOAS_READABLE,
      .ioas_id = space.ioas_id,
      .user_va = (uintptr_t)memory,
      .length = MAP_BYTES,
      .iova = IOVA,
  };
  step("MAP_DMA", ioctl(iommu, IOAS_MAP, &map));
}

int main(int argc, char **argv) {
  if (argc < 3) return 64;
  if (strcmp(argv[1], "--files") == 0) {
    use_files(argv + 2, argc - 2);
    hold();
    return 0;
  }
  int only_group = strcmp(argv[1], "--group") == 0;
  int watch = strcmp(argv[1], "--watch") == 0;
  int first = only_group || watch ? 2 : 1;
  if (argc <= first) return 64;
  char path[64];
  snprintf(path, sizeof path, "/dev/vfio/%s", argv[first]);
  int group = step("open group", open(path, O_RDWR));
  if (only_group) {
    hold();
    return 0;
  }
  struct vfio_group_status status = {.argsz = sizeof status};
  step("GET_STATUS", ioctl(group, VFIO_GROUP_GET_STATUS, &status));
  printf("viable: %s\n", status.flags & VFIO_GROUP_FLAGS_VIABLE ? "yes" : "no");
  int container = step("open container", open("/dev/vfio/vfio", O_RDWR));
  step("SET_CONTAINER", ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
  step("SET_IOMMU", ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
  void *memory = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct vfio_iommu_type1_dma_map map = {
      .argsz = sizeof map,
      .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
      .vaddr = (uintptr_t)memory,
      .iova = IOVA,
      .size = MAP_BYTES,
  };
  step("MAP_DMA", ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
  for (int i = first + 1; i < argc; i++) use_device(group, argv[i], watch);
  hold();
  return 0;
}
