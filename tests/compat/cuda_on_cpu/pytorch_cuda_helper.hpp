// What the kernels need of CUDA, for one thread.
#pragma once
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <algorithm>
using std::max;
using std::min;
#define __global__ static
#define __device__
#define __shared__
#define __forceinline__ inline
static void __syncthreads() {}
static struct { int x, y; } blockIdx = {0, 0}, threadIdx = {0, 0}, blockDim = {1, 1},
                            gridDim = {1, 1};
template <typename T> void atomicAdd(T* address, T value) { *address += value; }
#include "common_cuda_helper.hpp"
