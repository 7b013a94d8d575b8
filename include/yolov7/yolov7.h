#ifndef YOLOV7_YOLOV7_H
#define YOLOV7_YOLOV7_H
/*
 * Detection with models of yolov7.cpp, for programs in C and in every language that calls C.
 *
 * - A handle is made by one function and freed by the one that is named beside it. Freeing NULL
 *   does nothing.
 * - A function that can fail returns 0 if it succeeded. Otherwise it returns the error code, gives
 *   an error through its last argument unless that is NULL, and leaves its other outputs as they
 *   were. Codes: 1, it failed; 2, it was called wrongly.
 * - Texts are UTF-8. A text that a function returns belongs to the handle it was asked of.
 * - A struct of options or facts begins with its size, which the caller sets: yolov7_..._init() does
 *   that and fills in the defaults. A later version of the library fills in and reads no more than
 *   the shorter struct of an earlier header. In other languages than C, call
 *   yolov7_..._init_sized() with the size of your struct. yolov7_image and yolov7_box stay as they
 *   are.
 * - Different handles may be used by different threads at the same time. Calls on one model wait
 *   for each other.
 */
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define YOLOV7_API __attribute__((visibility("default")))
#else
#define YOLOV7_API
#endif

/* Grows when a program that was compiled against an earlier header no longer works. */
#define YOLOV7_ABI_VERSION 1

YOLOV7_API int yolov7_abi_version(void);
/* Of the library: "0.2.0". */
YOLOV7_API const char *yolov7_version(void);

/* ---- Errors ---- */

typedef struct yolov7_error yolov7_error;
/* One line: what was expected, what was found, and where. */
YOLOV7_API const char *yolov7_error_message(const yolov7_error *error);
YOLOV7_API int yolov7_error_code(const yolov7_error *error);
YOLOV7_API void yolov7_error_free(yolov7_error *error);

/* ---- Messages ---- */

enum yolov7_log_level {
  YOLOV7_LOG_DEBUG = 0,
  YOLOV7_LOG_INFO = 1,
  YOLOV7_LOG_WARNING = 2,
  YOLOV7_LOG_ERROR = 3
};
/* Called by any thread, by several at the same time. */
typedef void (*yolov7_log_function)(int level, const char *text, void *context);
/* From now on messages of at least this level go to `function`; `context` is handed on. A NULL
 * function is the state at the start: warnings and errors go to stderr. When this returns, no
 * message is on its way to the function before; that function may not call yolov7_set_log(). */
YOLOV7_API void yolov7_set_log(int lowest_level, yolov7_log_function function, void *context);

/* ---- Models ---- */

typedef struct yolov7_model yolov7_model;

typedef struct yolov7_model_options {
  size_t size;
  const char *precision; /* "float32" or "bfloat16" */
  const char *backend;   /* "openvino"; "onnxruntime" for .onnx files; "libtorch" */
  const char *names;     /* class names of a model file that has none: with commas, or a file */
  int threads;           /* 0: the cores that this process may use */
  int augment;           /* 1: three passes over each image (test-time augmentation) */
  /* Folder where networks that were compiled are kept for the next start, for their user alone;
   * "auto": that of the program; NULL or "none": they are not kept. Networks of checkpoints alone;
   * a model file is compiled each time. Since 0.2. */
  const char *model_cache;
} yolov7_model_options;
YOLOV7_API void yolov7_model_options_init_sized(yolov7_model_options *options, size_t size);
#define yolov7_model_options_init(options) \
  yolov7_model_options_init_sized((options), sizeof(yolov7_model_options))

/* A checkpoint of this program or of the official YOLOv7, .onnx, .tflite, .pb, .torchscript, a
 * SavedModel or an OpenVINO folder. `options`: NULL = the defaults. Nothing is downloaded.
 * Freed by yolov7_model_free(). */
YOLOV7_API int yolov7_model_open(const char *path, const yolov7_model_options *options,
                                 yolov7_model **model, yolov7_error **error);
YOLOV7_API void yolov7_model_free(yolov7_model *model);

typedef struct yolov7_model_info {
  size_t size;
  int class_count;
  int image_size;    /* long side in pixels at which it was trained */
  int stride;        /* sides of the network's input are multiples of it */
  int fixed_height;  /* of a model file with one input size; 0: any */
  int fixed_width;
} yolov7_model_info;
YOLOV7_API void yolov7_model_info_init_sized(yolov7_model_info *info, size_t size);
#define yolov7_model_info_init(info) yolov7_model_info_init_sized((info), sizeof(yolov7_model_info))
YOLOV7_API int yolov7_model_get_info(const yolov7_model *model, yolov7_model_info *info,
                                     yolov7_error **error);
/* NULL: no such class. */
YOLOV7_API const char *yolov7_model_class_name(const yolov7_model *model, int class_index);
/* What runs it: "OpenVINO 2026.4.1, CPU, float32, 2 threads". */
YOLOV7_API const char *yolov7_model_description(const yolov7_model *model);

/* ---- Detection ---- */

typedef struct yolov7_detect_options {
  size_t size;
  int image_size;       /* long side of the network's input in pixels, 16384 at most; 0: the model's */
  double conf_thres;    /* a box counts if its score is above; negative: what the file wants, or .25 */
  double iou_thres;     /* of suppression; negative: what the file wants, or .45 */
  int max_det;          /* boxes of an image */
  int agnostic;         /* 1: suppression between classes, too */
  const int *classes;   /* these alone; NULL: all */
  size_t class_count;   /* of `classes` */
  int tile;             /* side in pixels of tiles that are looked at besides the image; 0: none */
  double tile_overlap;  /* of neighbouring tiles, as a share of their side */
} yolov7_detect_options;
YOLOV7_API void yolov7_detect_options_init_sized(yolov7_detect_options *options, size_t size);
#define yolov7_detect_options_init(options) \
  yolov7_detect_options_init_sized((options), sizeof(yolov7_detect_options))

enum yolov7_pixel_format {
  YOLOV7_BGR = 0,
  YOLOV7_RGB = 1,
  YOLOV7_GRAY = 2,
  YOLOV7_BGRA = 3, /* A is not looked at */
  YOLOV7_RGBA = 4
};
/* 8 bits a channel, channels of a pixel together, rows from above. */
typedef struct yolov7_image {
  const unsigned char *pixels;
  int width;
  int height;
  size_t stride; /* bytes from a row to the next; 0: rows follow each other */
  int format;    /* of enum yolov7_pixel_format */
} yolov7_image;

typedef struct yolov7_box {
  double x1, y1, x2, y2; /* corners in pixels of the image, inside it, not rounded */
  float score;
  int class_index;
} yolov7_box;

typedef struct yolov7_results yolov7_results;

/* One result an image, in their order. Neighbours of one size go through the
 * network together, at most 16 at a time, but for tiles.
 * `options`: NULL = the defaults. Freed by yolov7_results_free(). */
YOLOV7_API int yolov7_detect(yolov7_model *model, const yolov7_image *images, size_t count,
                             const yolov7_detect_options *options, yolov7_results **results,
                             yolov7_error **error);
/* An image file. EXIF orientation is applied. */
YOLOV7_API int yolov7_detect_file(yolov7_model *model, const char *path,
                                  const yolov7_detect_options *options, yolov7_results **results,
                                  yolov7_error **error);
/* The bytes of an image file. `name` stands for it in messages; NULL: "image". */
YOLOV7_API int yolov7_detect_encoded(yolov7_model *model, const void *bytes, size_t length,
                                     const char *name, const yolov7_detect_options *options,
                                     yolov7_results **results, yolov7_error **error);

/* How many images. */
YOLOV7_API size_t yolov7_results_count(const yolov7_results *results);
/* Boxes of an image by descending score, and how many; NULL and 0: no such image, or no boxes. */
YOLOV7_API const yolov7_box *yolov7_results_boxes(const yolov7_results *results, size_t image,
                                                  size_t *count);
/* Sides of an image in pixels. Error 2: no such image. */
YOLOV7_API int yolov7_results_image_size(const yolov7_results *results, size_t image, int *width,
                                         int *height);
/* Milliseconds of preparing the image, of the network, and of suppression. Error 2: no such
 * image. */
YOLOV7_API int yolov7_results_times(const yolov7_results *results, size_t image, double *pre,
                                    double *inference, double *post);
YOLOV7_API void yolov7_results_free(yolov7_results *results);

/* ---- Images ---- */

/* Reads an image file: 8-bit B G R, upright. `image` is filled in; its pixels are freed by
 * yolov7_image_free(). */
YOLOV7_API int yolov7_image_read(const char *path, yolov7_image *image, yolov7_error **error);
/* The same of the bytes of an image file. `name` stands for it in messages; NULL: "image". */
YOLOV7_API int yolov7_image_decode(const void *bytes, size_t length, const char *name,
                                   yolov7_image *image, yolov7_error **error);
/* Of what the two functions above have filled in, and of nothing else. */
YOLOV7_API void yolov7_image_free(yolov7_image *image);

/* Draws the boxes of result `image`, with class names and scores, over `pixels`, which has the sides
 * of that image. `bgr` takes 3 * width * height bytes: B G R, rows that follow each other. It may not
 * overlap `pixels`. */
YOLOV7_API int yolov7_results_draw(const yolov7_results *results, size_t image,
                                   const yolov7_model *model, const yolov7_image *pixels,
                                   unsigned char *bgr, yolov7_error **error);
/* Writes an image file in the format that its name ends with: jpg, png, bmp, webp, tif. A file that
 * is there is replaced once the new one is whole. */
YOLOV7_API int yolov7_image_write(const char *path, const yolov7_image *image,
                                  yolov7_error **error);

#ifdef __cplusplus
}
#endif
#endif
