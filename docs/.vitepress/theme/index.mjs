import DefaultTheme from 'vitepress/theme';
import AlphaSliders from './AlphaSliders.vue';

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component('AlphaSliders', AlphaSliders);
  },
};
