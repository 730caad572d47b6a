// The page, put together.

import {makeAddress} from './address.js';
import {makeBanner} from './banner.js';
import {makeCellSheet} from './cellsheet.js';
import {makeChain} from './chain.js';
import {makeDrop} from './drop.js';
import {decode} from './frames.js';
import {makeGrid} from './grid.js';
import {makeKeyboard} from './keyboard.js';
import {makeLearn} from './learn.js';
import {openEngine} from './engine.js';
import {frame, run} from './loop.js';
import {makeMacros} from './macros.js';
import {makeOutput} from './output.js';
import {makePad} from './pad.js';
import {makePalette} from './palette.js';
import {makePicture} from './picture.js';
import {makeRecordings} from './recordings.js';
import {makeScenes} from './scenes.js';
import {makeSettings} from './settings.js';
import {makeStage} from './stage.js';
import {makeTake} from './take.js';
import {makeTop} from './top.js';
import {makeViews} from './views.js';
import {mic} from './mic.js';
import {furnish} from './furnish.js';
import {store} from './store.js';
import {applyTheme} from './theme.js';

furnish();
applyTheme();
for (const make of [makeTop, makeStage, makePalette, makeGrid, makeChain, makeOutput, makeMacros, makeScenes, makePad, makePicture, makeTake, makeRecordings, makeDrop, makeSettings, makeLearn, makeCellSheet, makeAddress, makeViews, makeKeyboard, makeBanner]) make();
run();
openEngine(decode);
window.audiobend = {store, frame, mic};
