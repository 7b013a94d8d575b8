#pragma once
// Annotations against the image that was found for them: size, EXIF orientation, edges.
#include <string>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/index/picture_facts.hpp"

namespace yolov7::dataset {

enum class SizeRule { drop, note, scale };
/// Which image the boxes are of where EXIF turns it and sizes do not tell. `unknown`: the shown
/// one, with a note.
enum class BoxOrientation { unknown, stored, shown };

struct SizeVerdict {
  std::string fault, note;  ///< at most one is not empty
};

/// Brings the coordinates of `image` to pixels of the image as it is shown: fractions are
/// multiplied; boxes of the image as it is stored are turned with it, where the written size says
/// so (EXIF orientation 5 to 8 exchange the axes: Exif 2.32, tag 0x0112); another size than
/// written is handled by `rule`; where sizes do not tell, `boxes` does. `name`: of the image, for
/// the messages.
SizeVerdict fit_to_image(AnnotatedImage& image, const PictureFacts& facts, SizeRule rule,
                         const std::string& name, BoxOrientation boxes = BoxOrientation::unknown);
/// A copy with size and clipped boxes, as prepare_set() will have it but for its classes: what can
/// be told of an image as soon as its facts are known. Empty where they do not fit.
AnnotatedImage fitted_copy(AnnotatedImage image, const PictureFacts& facts, SizeRule rule,
                           BoxOrientation boxes);
/// A box of the stored image in the image as it is shown. `facts` has the size as shown.
Xyxy turned(const Xyxy& box, const PictureFacts& facts);
/// Takes out key points beyond the edges, since another place would be a wrong one. How many.
std::size_t drop_points_outside(AnnotatedObject& object, int width, int height);
/// Clips box and rings to the image. False where nothing changed.
bool clip_object(AnnotatedObject& object, int width, int height);

}  // namespace yolov7::dataset
