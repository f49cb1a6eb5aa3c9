// Tested by tests/labels/everyday_names_test.cc.

#include "lib/labels/everyday_names.h"

#include <string_view>

namespace zeroshelf {
namespace {

// By what they are of; each once.
constexpr std::string_view kNames =
    // People
    "person, man, woman, child, baby, boy, girl, crowd, family, couple, face, hand, portrait, selfie, bride, soldier, "
    "police officer, firefighter, doctor, nurse, chef, farmer, athlete, dancer, musician, singer, actor, clown, king, "
    "priest, student, teacher, worker, child playing, wedding, birthday party, concert, protest, meeting, group photo, "
    // Animals
    "animal, dog, puppy, cat, kitten, horse, cow, sheep, goat, pig, donkey, deer, moose, elephant, giraffe, zebra, lion, "
    "tiger, leopard, cheetah, bear, panda, polar bear, wolf, fox, monkey, gorilla, kangaroo, koala, camel, llama, rabbit, "
    "squirrel, mouse, hamster, hedgehog, bat, otter, seal, whale, dolphin, shark, fish, goldfish, octopus, jellyfish, crab, "
    "lobster, snail, coral, starfish, frog, toad, snake, lizard, crocodile, turtle, dinosaur, bird, parrot, owl, eagle, "
    "pigeon, seagull, penguin, ostrich, flamingo, peacock, swan, duck, goose, chicken, rooster, turkey, crow, sparrow, "
    "hummingbird, woodpecker, insect, butterfly, moth, bee, wasp, ant, beetle, ladybird, dragonfly, grasshopper, fly, "
    "mosquito, spider, scorpion, worm, bird nest, "
    // Dogs and cats
    "golden retriever, labrador, german shepherd, poodle, bulldog, beagle, boxer, dachshund, chihuahua, husky, terrier, "
    "yorkshire terrier, pomeranian, pug, corgi, dalmatian, rottweiler, collie, spaniel, setter, great dane, saint bernard, "
    "siamese cat, persian cat, tabby cat, "
    // Plants
    "plant, tree, forest, palm tree, pine tree, flower, rose, tulip, sunflower, daisy, orchid, lily, lavender, cactus, "
    "fern, moss, grass, leaf, bush, vine, mushroom, fruit, seeds, potted plant, bouquet, garden, bonsai, bamboo, "
    // Food and drink
    "food, meal, breakfast, apple, banana, orange, lemon, lime, grapes, strawberry, blueberry, raspberry, cherry, peach, "
    "pear, plum, pineapple, mango, kiwi, melon, watermelon, avocado, coconut, pomegranate, fig, vegetables, tomato, potato, "
    "carrot, onion, garlic, pepper, cucumber, cabbage, lettuce, broccoli, cauliflower, spinach, corn, beans, peas, pumpkin, "
    "aubergine, zucchini, asparagus, ginger, herbs, spices, nuts, bread, baguette, croissant, bagel, pretzel, sandwich, "
    "hamburger, hot dog, pizza, pasta, spaghetti, lasagna, noodles, ramen, rice, risotto, sushi, dumplings, soup, stew, "
    "curry, salad, steak, sausage, bacon, ham, roast chicken, fried chicken, barbecue, seafood, shrimp, oysters, eggs, "
    "omelette, cheese, butter, milk, yogurt, cream, cereal, pancakes, waffles, french fries, chips, popcorn, tacos, burrito, "
    "nachos, guacamole, hummus, falafel, kebab, paella, cake, cupcake, pie, cookies, doughnut, ice cream, chocolate, candy, "
    "pudding, jam, honey, coffee, tea, juice, wine, beer, cocktail, water bottle, soda, "
    // Vehicles
    "vehicle, car, automobile, sports car, taxi, police car, van, bus, truck, lorry, fire engine, ambulance, tractor, "
    "excavator, motorcycle, scooter, bicycle, train, tram, subway, locomotive, airplane, helicopter, hot air balloon, "
    "drone, rocket, boat, ship, sailing boat, ferry, canoe, kayak, submarine, cruise ship, container ship, carriage, "
    "skateboard, wheelchair, caravan, race car, vintage car, "
    // Buildings and places
    "building, house, skyscraper, apartment building, hotel, church, cathedral, mosque, temple, castle, palace, ruins, "
    "lighthouse, windmill, tower, bridge, barn, shed, tent, factory, warehouse, office, shop, supermarket, market, "
    "restaurant, cafe, bar, school, classroom, library, museum, hospital, laboratory, airport, train station, harbour, "
    "parking lot, petrol station, street, road, motorway, path, square, park, playground, swimming pool, stadium, gym, "
    "theatre, cinema, stage, farm, field, vineyard, greenhouse, construction site, cemetery, fountain, statue, monument, "
    "wall, fence, gate, roof, village, city, city at night, skyline, "
    // Nature
    "landscape, mountain, hill, volcano, valley, canyon, cliff, cave, rock, desert, beach, sea, ocean, wave, island, lake, "
    "river, stream, waterfall, swamp, meadow, jungle, snow, ice, glacier, sky, clouds, sunset, sunrise, rainbow, "
    "thunderstorm, lightning, fog, rain, night sky, stars, moon, planet, galaxy, northern lights, fire, smoke, underwater, "
    // Rooms and furniture
    "room, living room, bedroom, kitchen, bathroom, dining room, hallway, staircase, balcony, garage, furniture, chair, "
    "armchair, sofa, table, desk, bed, cupboard, wardrobe, bookshelf, drawer, lamp, candle, mirror, carpet, curtain, window, "
    "door, fireplace, bathtub, shower, sink, toilet, fridge, oven, stove, microwave, washing machine, fan, radiator, "
    // Things
    "book, newspaper, magazine, letter, envelope, stamp, pen, pencil, scissors, paper, notebook, calendar, computer, laptop, "
    "keyboard, computer mouse, monitor, printer, tablet, phone, television, radio, camera, headphones, loudspeaker, "
    "microphone, remote control, game console, circuit board, cable, battery, light bulb, clock, watch, key, lock, coin, "
    "banknote, credit card, wallet, bag, backpack, suitcase, basket, box, bottle, can, jar, cup, mug, glass, plate, bowl, "
    "spoon, fork, knife, pan, pot, kettle, tool, hammer, screwdriver, saw, drill, axe, ladder, rope, bucket, broom, vacuum "
    "cleaner, umbrella, balloon, toy, doll, teddy bear, building blocks, puzzle, dice, playing cards, chess, board game, "
    "ball, trophy, medal, flag, mask, crown, ring, necklace, jewellery, glasses, sunglasses, medicine, pills, syringe, "
    "skeleton, skull, weapon, gun, sword, armour, cannon, telescope, microscope, globe, anchor, gear, engine, wheel, tyre, "
    "traffic light, street sign, street lamp, bench, mailbox, rubbish bin, vending machine, fire hydrant, "
    // Clothes
    "clothes, shirt, t-shirt, jacket, coat, dress, skirt, trousers, jeans, suit, tie, sweater, shoe, boot, sneaker, sandal, "
    "high heels, socks, hat, cap, helmet, scarf, glove, belt, swimsuit, uniform, costume, kimono, "
    // Sport and music
    "sport, football, basketball, baseball, tennis, golf, volleyball, rugby, ice hockey, skiing, snowboarding, surfing, "
    "swimming, diving, climbing, hiking, running, cycling, horse riding, boxing match, martial arts, yoga, fishing, "
    "guitar, piano, violin, cello, drum, trumpet, flute, saxophone, orchestra, "
    // Pictures of pictures
    "painting, drawing, sketch, cartoon, comic, anime, meme, poster, logo, icon, emoji, sticker, tattoo, graffiti, "
    "sculpture, mosaic, photograph, black and white photograph, screenshot, website, chat, email, social media post, text, "
    "handwriting, document, form, receipt, invoice, menu, map, diagram, chart, graph, table of numbers, spreadsheet, slide, "
    "blueprint, barcode, QR code, passport, business card, ticket, book cover, album cover, film poster, advertisement, "
    "video game, pixel art, 3D rendering, pattern, texture, x-ray, satellite image, aerial view, close-up";

}  // namespace

std::vector<std::string> everyday_names() {
  std::vector<std::string> names;
  constexpr std::string_view kBetween = ", ";
  for (std::string_view rest = kNames;;) {
    const size_t end = rest.find(kBetween);
    names.emplace_back(rest.substr(0, end));
    if (end == std::string_view::npos) return names;
    rest.remove_prefix(end + kBetween.size());
  }
}

}  // namespace zeroshelf
