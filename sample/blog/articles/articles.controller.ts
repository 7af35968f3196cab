import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  ParseIntPipe,
  Patch,
  Post,
  UseGuards,
} from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { BearerGuard, CurrentUser } from '../users/bearer.guard.js';
import { User } from '../users/user.entity.js';
import { CreateArticleDto, UpdateArticleDto } from './article.dto.js';
import type { Article } from './article.entity.js';
import { Articles } from './articles.service.js';
import { Recommendations } from './recommendations.service.js';

@ApiTags('articles')
@ApiBearerAuth()
@UseGuards(BearerGuard)
@Controller('articles')
export class ArticlesController {
  constructor(
    private readonly articles: Articles,
    private readonly recommendations: Recommendations,
  ) {}

  @Get()
  list(@CurrentUser() user: User): Promise<Article[]> {
    return this.articles.list(user);
  }

  @Post()
  async create(@CurrentUser() user: User, @Body() body: CreateArticleDto) {
    return view(await this.articles.create(user, body));
  }

  @Patch(':id')
  async change(
    @CurrentUser() user: User,
    @Param('id', ParseIntPipe) id: number,
    @Body() body: UpdateArticleDto,
  ) {
    return view(await this.articles.change(user, id, body));
  }

  @Post(':id/publish')
  @HttpCode(200)
  async publish(@CurrentUser() user: User, @Param('id', ParseIntPipe) id: number) {
    return view(await this.articles.publish(user, id));
  }

  @Post(':id/recommend')
  @HttpCode(204)
  async recommend(@CurrentUser() user: User, @Param('id', ParseIntPipe) id: number): Promise<void> {
    await this.recommendations.recommend(user, id);
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@CurrentUser() user: User, @Param('id', ParseIntPipe) id: number): Promise<void> {
    return this.articles.remove(user, id);
  }
}

function view({ id, title, body, state, tags }: Article) {
  return { id, title, body, state, tags: tags.map((tag) => tag.name) };
}
