import { createApp } from "vue";
import SomebodysPage from "./SomebodysPage.vue";

createApp(SomebodysPage).mount("#app");
