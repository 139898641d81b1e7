// A program that uses devices through VFIO as a virtual machine would, and says what came of every step.
//
//   vfio-user GROUP ADDRESS...   opens /dev/vfio/GROUP, maps memory for DMA, opens each device and reads what it is
//                                from its configuration space, says "holding", and holds until its input ends
//   vfio-user --group GROUP      opens the group only, and holds
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAP_BYTES = 1 << 20, IOVA = 0x10000000 };

static int step(const char *what, int result) {
  if (result < 0) {
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
  }
  printf("%s: ok\n", what);
  return result;
}

static void hold(void) {
  char byte;
  printf("holding\n");
  fflush(stdout);
  while (read(0, &byte, 1) > 0) continue;
  printf("let go\n");
}

static void use_device(int group, const char *address) {
  int device = step("GET_DEVICE_FD", ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address));
  struct vfio_region_info config = {.argsz = sizeof config, .index = VFIO_PCI_CONFIG_REGION_INDEX};
  step("GET_REGION_INFO", ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config));
  uint32_t id = 0;
  step("read", pread(device, &id, sizeof id, config.offset));
  printf("%s is %04x:%04x\n", address, id & 0xffff, id >> 16);
}

int main(int argc, char **argv) {
  if (argc < 3) return 64;
  int only_group = strcmp(argv[1], "--group") == 0;
  char path[64];
  snprintf(path, sizeof path, "/dev/vfio/%s", argv[1 + only_group]);
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
  for (int i = 2; i < argc; i++) use_device(group, argv[i]);
  hold();
  return 0;
}
