// What mmcv's launchers do: scalars come as float and are converted to the type of the tensors.
#include "carafe_naive_cuda_kernel.cuh"
#include "deform_roi_pool_cuda_kernel.cuh"
#include "masked_conv2d_cuda_kernel.cuh"
#include "ms_deform_attn_cuda_kernel.cuh"
#include "roi_pool_cuda_kernel.cuh"
#include "sigmoid_focal_loss_cuda_kernel.cuh"
#include "softmax_focal_loss_cuda_kernel.cuh"
typedef int64_t* Ints;
#define LAUNCHERS(T) \
  void sigmoid_forward_##T(int n, int c, T* x, Ints t, T* w, T* out, float g, float a) { \
    sigmoid_focal_loss_forward_cuda_kernel<T>(n * c, x, t, w, out, g, a, c); \
  } \
  void sigmoid_backward_##T(int n, int c, T* x, Ints t, T* w, T* out, float g, float a) { \
    sigmoid_focal_loss_backward_cuda_kernel<T>(n * c, x, t, w, out, g, a, c); \
  } \
  void softmax_forward_##T(int n, int c, T* x, Ints t, T* w, T* out, float g, float a) { \
    softmax_focal_loss_forward_cuda_kernel<T>(n, x, t, w, out, g, a, c); \
  } \
  void softmax_backward_##T(int n, int c, T* x, Ints t, T* w, T* buff, T* out, float g, float a) { \
    softmax_focal_loss_backward_cuda1_kernel<T>(n, x, t, w, buff, g, a, c); \
    softmax_focal_loss_backward_cuda2_kernel<T>(n * c, x, t, buff, out, c); \
  } \
  void pool_forward_##T(int n, T* x, T* rois, T* out, int* argmax, int ph, int pw, float scale, \
                        int c, int h, int w) { \
    roi_pool_forward_cuda_kernel<T>(n, x, rois, out, argmax, ph, pw, scale, c, h, w); \
  } \
  void pool_backward_##T(int n, T* grad, T* rois, int* argmax, T* out, int ph, int pw, int c, \
                         int h, int w) { \
    roi_pool_backward_cuda_kernel<T>(n, grad, rois, argmax, out, ph, pw, c, h, w); \
  } \
  void deform_pool_forward_##T(int n, T* x, T* rois, T* offset, T* out, int ph, int pw, \
                               float scale, int ratio, float gamma, int c, int h, int w) { \
    deform_roi_pool_forward_cuda_kernel<T>(n, x, rois, offset, out, ph, pw, scale, ratio, gamma, \
                                           c, h, w); \
  } \
  void deform_pool_backward_##T(int n, T* grad, T* x, T* rois, T* offset, T* grad_x, \
                                T* grad_offset, int ph, int pw, float scale, int ratio, \
                                float gamma, int c, int h, int w) { \
    deform_roi_pool_backward_cuda_kernel<T>(n, grad, x, rois, offset, grad_x, grad_offset, ph, pw, \
                                            scale, ratio, gamma, c, h, w); \
  } \
  void carafe_forward_##T(int n, T* x, T* masks, T* out, int k, int g, int s, int c, int h, \
                          int w) { \
    carafe_naive_forward_cuda_kernel<T>(n, x, masks, out, k, g, s, c, h, w); \
  } \
  void carafe_backward_##T(int n, T* grad, T* x, T* masks, T* grad_x, T* grad_masks, int k, int g, \
                           int s, int c, int h, int w) { \
    carafe_naive_backward_cuda_kernel<T>(n, grad, x, masks, grad_x, grad_masks, k, g, s, c, h, w); \
  } \
  void im2col_##T(int n, T* x, int h, int w, int kh, int kw, int ph, int pw, Ints rows, Ints cols, \
                  int count, T* out) { \
    MaskedIm2colForward<T>(n, x, h, w, kh, kw, ph, pw, rows, cols, count, out); \
  } \
  void col2im_##T(int n, T* x, int h, int w, int c, Ints rows, Ints cols, int count, T* out) { \
    MaskedCol2imForward<T>(n, x, h, w, c, rows, cols, count, out); \
  } \
  void attention_forward_##T(int n, T* value, Ints shapes, Ints starts, T* loc, T* weight, int b, \
                             int k, int m, int c, int l, int q, int p, T* out) { \
    ms_deformable_im2col_gpu_kernel<T>(n, value, shapes, starts, loc, weight, b, k, m, c, l, q, p, \
                                       out); \
  } \
  void attention_backward_##T(int n, T* grad, T* value, Ints shapes, Ints starts, T* loc, \
                              T* weight, int b, int k, int m, int c, int l, int q, int p, \
                              T* grad_value, T* grad_loc, T* grad_weight) { \
    ms_deformable_col2im_gpu_kernel_gm<T>(n, grad, value, shapes, starts, loc, weight, b, k, m, c, \
                                          l, q, p, grad_value, grad_loc, grad_weight); \
  }
extern "C" {
LAUNCHERS(float)
LAUNCHERS(double)
}
