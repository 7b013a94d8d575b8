/* Prints the boxes of an image: detect-c WEIGHTS IMAGE */
#include <stdio.h>
#include <yolov7/yolov7.h>

static int fail(yolov7_error *error) {
  const int code = yolov7_error_code(error);
  fprintf(stderr, "error: %s\n", yolov7_error_message(error));
  yolov7_error_free(error);
  return code;
}

int main(int count, char **arguments) {
  yolov7_model *model = NULL;
  yolov7_results *results = NULL;
  yolov7_error *error = NULL;
  const yolov7_box *boxes;
  size_t boxes_found, i;

  if (count != 3) {
    fprintf(stderr, "usage: detect-c WEIGHTS IMAGE\n");
    return 2;
  }
  if (yolov7_model_open(arguments[1], NULL, &model, &error) != 0) return fail(error);
  if (yolov7_detect_file(model, arguments[2], NULL, &results, &error) != 0) {
    yolov7_model_free(model);
    return fail(error);
  }
  boxes = yolov7_results_boxes(results, 0, &boxes_found);
  for (i = 0; i < boxes_found; ++i)
    printf("%s %.9g %.17g %.17g %.17g %.17g\n",
           yolov7_model_class_name(model, boxes[i].class_index), boxes[i].score, boxes[i].x1,
           boxes[i].y1, boxes[i].x2, boxes[i].y2);
  yolov7_results_free(results);
  yolov7_model_free(model);
  return 0;
}
