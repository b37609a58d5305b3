// common_cuda_helper.hpp asks for it
