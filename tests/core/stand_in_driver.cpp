// What gpu_driver() asks of NVIDIA's driver, answered for as many GPUs as STAND_IN_GPUS says; −1:
// the driver finds none (error 100, "no device").
#include <cstddef>
#include <cstdio>
#include <cstdlib>

extern "C" {

int cuInit(unsigned) { return std::atoi(std::getenv("STAND_IN_GPUS")) < 0 ? 100 : 0; }
int cuDriverGetVersion(int* version) {
  *version = 12040;
  return 0;
}
int cuDeviceGetCount(int* count) {
  *count = std::atoi(std::getenv("STAND_IN_GPUS"));
  return 0;
}
int cuDeviceGet(int* device, int ordinal) {
  *device = 10 + ordinal;
  return 0;
}
int cuDeviceGetName(char* name, int length, int device) {
  std::snprintf(name, static_cast<std::size_t>(length), "Stand-in %d", device - 10);
  return 0;
}
int cuDeviceTotalMem_v2(std::size_t* bytes, int device) {
  *bytes = 24'000'000'000u + static_cast<std::size_t>(device - 10);
  return 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = attribute == 75 ? 8 : attribute == 76 ? 6 : -1;
  return 0;
}

}  // extern "C"
